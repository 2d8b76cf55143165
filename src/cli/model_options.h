// What every command that runs a model takes: the model, the part of long clips to look at, the labels to
// choose among.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cli/arguments.h"
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

// model::open(); of a training's folder the error names the model in it.
Expected<std::shared_ptr<const model::Model>> open_model(const std::string& file);

// MODEL, the first argument.
void add_model_argument(Arguments& arguments, ModelOptions& options);
// --segment.
Argument add_segment_option(Arguments& arguments, ModelOptions& options);
// --segment and --only.
std::vector<Argument> add_model_options(Arguments& arguments, ModelOptions& options);

}  // namespace bittern::cli
