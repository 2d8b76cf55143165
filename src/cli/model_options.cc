#include "cli/model_options.h"

#include <array>

#include "cli/options.h"
#include "evaluation/labels.h"

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

void add_model_options(CLI::App& app, ModelOptions& options) {
  app.add_option("model", options.model, "The model, a .bittern file")->required()->type_name("FILE");
  std::vector<std::string> segments;
  for (const SegmentName& row : kSegments) segments.emplace_back(row.name);
  app.add_option("--segment", options.segment,
                 "What of a clip longer than the model's window is looked at: whole, centre or loudest")
      ->type_name("NAME")
      ->check(one_of(std::move(segments)))
      ->capture_default_str();
  app.add_option("--only", options.only, "Choose among these labels only, separated by commas")
      ->type_name("A,B");
}

}  // namespace bittern::cli
