#include "datasets/layouts.h"

#include <fmt/format.h>

#include <array>

#include "datasets/listing.h"

namespace bittern::datasets {
namespace {

// The most particular first: the first that recognises a folder reads it.
constexpr std::array kLayouts = {
    Layout{"speech-commands", "Google Speech Commands v0.02 as downloaded; tasks 12 (default) and 35",
           recognises_speech_commands, scan_speech_commands},
    Layout{"mswc", "one language of the Multilingual Spoken Words Corpus; a task is a list of words",
           recognises_mswc, scan_mswc},
    Layout{"voxforge", "VoxForge archives below a folder per language; a task is a list of languages",
           recognises_voxforge, scan_voxforge},
    Layout{"folders", "a folder per class, with or without train, validation and test above",
           recognises_folders, scan_folders},
};

}  // namespace

std::span<const Layout> layouts() { return kLayouts; }

std::string_view name(Split split) {
  switch (split) {
    case Split::kTrain:
      return "train";
    case Split::kValidation:
      return "validation";
    case Split::kTest:
      break;
  }
  return "test";
}

Expected<Split> parse_split(std::string_view text) {
  for (const Split split : {Split::kTrain, Split::kValidation, Split::kTest})
    if (text == name(split)) return split;
  return invalid_argument(fmt::format("unknown split '{}'; choose train, validation or test", text));
}

std::vector<const Clip*> Dataset::of(Split split) const {
  std::vector<const Clip*> chosen;
  for (const Clip& clip : clips)
    if (clip.split == split) chosen.push_back(&clip);
  return chosen;
}

Expected<Dataset> scan(const std::filesystem::path& root, const ScanOptions& options) {
  BITTERN_RETURN_IF_ERROR(check_folder(root));
  std::string known = "auto";
  for (const Layout& layout : layouts()) {
    known += fmt::format(", {}", layout.name);
    if (options.layout == layout.name || (options.layout == "auto" && layout.recognises(root)))
      return layout.scan(root, options);
  }
  return invalid_argument(fmt::format("unknown layout '{}'; choose one of {}", options.layout, known));
}

}  // namespace bittern::datasets
