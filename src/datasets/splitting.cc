#include "datasets/splitting.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "core/checksum.h"
#include "core/random.h"
#include "datasets/listing.h"

namespace bittern::datasets {
namespace {

struct Group {
  std::uint64_t key = 0;
  std::optional<Split> split;
  std::vector<int> labels;  // in which it has clips
};

using Groups = std::map<std::string, Group>;

struct Share {
  Groups::value_type* group;
  std::size_t clips;  // of one label
};

// Per label: the groups that are still train's.
using Open = std::map<int, std::size_t>;

// Moves groups of one label to `split` until it has a tenth of the label's clips, but none that is the last
// of one of its labels in train. A label that already has half of that, from speakers placed for labels
// before it, is left alone.
void fill(std::vector<Share>& shares, Split split, Open& open) {
  std::size_t total = 0;
  std::size_t placed = 0;
  for (const Share& share : shares) {
    total += share.clips;
    if (share.group->second.split == split) placed += share.clips;
  }
  if (placed > 0 && placed * 20 >= total) return;
  for (const Share& share : shares) {
    if (placed * 10 >= total) return;
    Group& group = share.group->second;
    if (group.split || std::ranges::any_of(group.labels, [&](int label) { return open[label] < 2; }))
      continue;
    group.split = split;
    placed += share.clips;
    for (const int label : group.labels) --open[label];
  }
}

}  // namespace

std::uint64_t draw_key(std::uint64_t seed, std::string_view name) {
  return Random({seed, checksum(std::as_bytes(std::span(name.data(), name.size())))}).next();
}

void split_by_speaker(std::vector<Clip>& clips, const std::filesystem::path& root) {
  Groups groups;
  std::map<int, std::map<std::string, std::size_t>> counts;  // label -> group -> clips
  std::vector<std::string> names;
  for (const Clip& clip : clips) {
    names.push_back(clip.speaker.empty() ? "file:" + relative_name(clip.path, root) : clip.speaker);
    groups[names.back()].key = draw_key(0, names.back());
    ++counts[clip.label][names.back()];
  }
  Open open;
  for (const auto& [label, of_label] : counts) {
    open[label] = of_label.size();
    for (const auto& [name, count] : of_label) groups[name].labels.push_back(label);
  }
  for (const auto& [label, of_label] : counts) {
    std::vector<Share> shares;
    for (const auto& [name, count] : of_label) shares.push_back({&*groups.find(name), count});
    std::sort(shares.begin(), shares.end(), [](const Share& a, const Share& b) {
      return std::pair(a.group->second.key, a.group->first) < std::pair(b.group->second.key, b.group->first);
    });
    fill(shares, Split::kTest, open);
    fill(shares, Split::kValidation, open);
  }
  for (std::size_t i = 0; i < clips.size(); ++i)
    clips[i].split = groups[names[i]].split.value_or(Split::kTrain);
}

}  // namespace bittern::datasets
