// What a calibration found and promises, for a terminal and as JSON.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cli/labelled_data.h"
#include "evaluation/calibrate.h"
#include "model/model.h"

namespace bittern::cli {

struct CalibrationReport {
  std::string model;  // as it was named
  DataOptions asked;
  const LabelledData* data = nullptr;
  evaluation::CalibrateOptions options;
  evaluation::Calibration found;
  model::OperatingPoint point;
  std::size_t classes = 0;
  std::string written;  // the file; empty: none
};

nlohmann::ordered_json calibration_json(const CalibrationReport& report);
std::string calibration_text(const CalibrationReport& report);

}  // namespace bittern::cli
