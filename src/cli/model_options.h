// What every command that runs a model takes: the model, the part of long clips to look at, the labels to
// choose among.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/status.h"
#include "model/model.h"
#include "runtime/session.h"

namespace bittern::cli {

struct ModelOptions {
  std::string model;
  std::string segment = "whole";
  std::string only;

  runtime::Segment segment_value() const;
  // The mask that `only` means for `labels`; wrong usage where the model lacks one of them.
  std::vector<std::uint8_t> only_mask(std::span<const std::string> labels) const;
};

void add_model_options(CLI::App& app, ModelOptions& options);

}  // namespace bittern::cli
