// What a model holds besides its network, as JSON and as text.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "model/model.h"

namespace bittern::cli {

// The file itself, and how its self-test went where it was asked for.
struct ModelReport {
  const model::Model* model = nullptr;
  std::string file;
  std::uintmax_t file_bytes = 0;
  std::string self_test;          // "stored", "absent", "passed", "failed"
  std::string self_test_message;  // which stage differs; empty otherwise
  bool layers = false;
};

nlohmann::ordered_json front_end_json(const features::LogMelSpec& spec);
nlohmann::ordered_json operating_points_json(const std::vector<model::OperatingPoint>& points);
nlohmann::ordered_json model_json(const ModelReport& report);
std::string model_text(const ModelReport& report);

}  // namespace bittern::cli
