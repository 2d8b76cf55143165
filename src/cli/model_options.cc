#include "cli/model_options.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <system_error>
#include <utility>

#include "evaluation/labels.h"
#include "model/file.h"

namespace bittern::cli {
namespace {

struct SegmentName {
  const char* name;
  runtime::Segment segment;
};
constexpr std::array kSegments{SegmentName{"whole", runtime::Segment::kWhole},
                               SegmentName{"centre", runtime::Segment::kCentre},
                               SegmentName{"loudest", runtime::Segment::kLoudest}};

}  // namespace

runtime::Segment ModelOptions::segment_value() const {
  for (const SegmentName& row : kSegments)
    if (segment == row.name) return row.segment;
  return runtime::Segment::kWhole;
}

std::vector<std::uint8_t> ModelOptions::only_mask(std::span<const std::string> labels) const {
  auto mask = evaluation::parse_only(only, labels);
  if (!mask.ok()) fail_usage("--only: " + mask.error().message);
  return std::move(mask).value();
}

Expected<std::shared_ptr<const model::Model>> open_model(const std::string& file) {
  std::error_code ignored;
  const std::filesystem::path best = std::filesystem::path(file) / "best.bittern";
  if (std::filesystem::exists(best, ignored))
    return invalid_argument(
        fmt::format("{}: is a training's folder; its best model is {}", file, best.string()));
  return model::open(file);
}

void add_model_argument(Arguments& arguments, ModelOptions& options) {
  arguments.add("MODEL", options.model, "The model, a .bittern file").check(not_empty()).required();
}

Argument add_segment_option(Arguments& arguments, ModelOptions& options) {
  std::vector<std::string> segments;
  segments.reserve(std::size(kSegments));
  for (const SegmentName& row : kSegments) segments.emplace_back(row.name);
  return arguments
      .add("--segment NAME", options.segment,
           "What of a clip longer than the model's window is looked at: whole, centre or loudest")
      .check(one_of(std::move(segments)))
      .show_default();
}

std::vector<Argument> add_model_options(Arguments& arguments, ModelOptions& options) {
  const Argument segment = add_segment_option(arguments, options);
  return {segment,
          arguments.add("--only A,B,...", options.only, "Choose among these labels only").check(not_empty())};
}

}  // namespace bittern::cli
