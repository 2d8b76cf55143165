#include "datasets/finish.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <numeric>
#include <set>
#include <tuple>

#include "datasets/listing.h"

namespace bittern::datasets {
namespace {

constexpr std::array<Split, 3> kSplits = {Split::kTrain, Split::kValidation, Split::kTest};

// Well-formed UTF-8 (Unicode 15, table 3-7) without control characters.
bool is_text(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = [&](std::size_t at) -> unsigned {
      return at < text.size() ? static_cast<unsigned char>(text[at]) : 0U;
    };
    const unsigned first = byte(i);
    if (first < 0x20 || first == 0x7F) return false;
    if (first < 0x80) {
      ++i;
      continue;
    }
    if (first < 0xC2 || first > 0xF4) return false;
    const std::size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    const unsigned low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    const unsigned high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (byte(i + 1) < low || byte(i + 1) > high) return false;
    for (std::size_t k = 2; k < length; ++k)
      if (byte(i + k) < 0x80 || byte(i + k) > 0xBF) return false;
    i += length;
  }
  return !text.empty();
}

void sort_labels(Dataset& dataset) {
  std::vector<std::size_t> order(dataset.labels.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return dataset.labels[a] < dataset.labels[b]; });
  std::vector<int> place(order.size());
  std::vector<std::string> sorted;
  for (std::size_t i = 0; i < order.size(); ++i) {
    place[order[i]] = static_cast<int>(i);
    sorted.push_back(dataset.labels[order[i]]);
  }
  dataset.labels = std::move(sorted);
  for (Clip& clip : dataset.clips) clip.label = place[static_cast<std::size_t>(clip.label)];
}

std::string no_clips_in(std::string_view label, Split split) {
  return fmt::format("label '{}' has no clips in {}", label, name(split));
}

Status check_labels(Dataset& dataset) {
  std::vector<std::array<std::size_t, 3>> counts(dataset.labels.size());
  std::array<std::size_t, 3> totals = {};
  for (const Clip& clip : dataset.clips) {
    ++counts[static_cast<std::size_t>(clip.label)][static_cast<std::size_t>(clip.split)];
    ++totals[static_cast<std::size_t>(clip.split)];
  }
  for (std::size_t label = 0; label < dataset.labels.size(); ++label) {
    const std::string& text = dataset.labels[label];
    if (!is_text(text))
      return invalid_argument(
          fmt::format("{}: a label is not one line of UTF-8 text; rename its folder", dataset.root.string()));
    const auto& of_label = counts[label];
    if (of_label == std::array<std::size_t, 3>{})
      return invalid_argument(fmt::format("{}: label '{}' has no clips; add some or remove its folder",
                                          dataset.root.string(), text));
    for (const Split split : kSplits) {
      const auto at = static_cast<std::size_t>(split);
      if (of_label[at] > 0 || totals[at] == 0) continue;
      dataset.warnings.push_back(no_clips_in(text, split));
    }
  }
  return {};
}

void check_speakers(Dataset& dataset) {
  std::map<std::string_view, std::set<Split>> splits;
  for (const Clip& clip : dataset.clips)
    if (!clip.speaker.empty()) splits[clip.speaker].insert(clip.split);
  std::size_t shared = 0;
  std::string_view first;
  for (const auto& [speaker, of_speaker] : splits) {
    if (of_speaker.size() < 2) continue;
    if (shared++ == 0) first = speaker;
  }
  if (shared > 0)
    dataset.warnings.push_back(
        fmt::format("{} of {} speakers are in more than one split (first: '{}'); accuracies will flatter",
                    shared, splits.size(), first));
}

}  // namespace

std::vector<std::string> Dataset::warnings_for(std::optional<Split> split) const {
  std::set<std::string> others;
  for (const std::string& label : labels)
    for (const Split other : kSplits)
      if (other != split) others.insert(no_clips_in(label, other));
  std::vector<std::string> lines;
  for (const std::string& warning : warnings)
    if (!others.contains(warning)) lines.push_back(warning);
  return lines;
}

Expected<Dataset> finish(Dataset dataset) {
  if (dataset.clips.empty())
    return invalid_argument(
        fmt::format("{}: no clips found (layout {})", dataset.root.string(), dataset.layout));
  std::error_code ignored;
  std::filesystem::path canonical = std::filesystem::weakly_canonical(dataset.root, ignored);
  if (!canonical.has_filename()) canonical = canonical.parent_path();
  dataset.name = dataset.layout + "/" + canonical.filename().string();
  sort_labels(dataset);
  BITTERN_RETURN_IF_ERROR(check_labels(dataset));
  check_speakers(dataset);
  std::sort(dataset.clips.begin(), dataset.clips.end(), [](const Clip& a, const Clip& b) {
    return std::tie(a.split, a.label, a.path.native(), a.offset_seconds) <
           std::tie(b.split, b.label, b.path.native(), b.offset_seconds);
  });
  std::sort(dataset.noise.begin(), dataset.noise.end());
  return dataset;
}

}  // namespace bittern::datasets
