// Folders of recordings as a list of labelled clips. One file per layout under datasets/, one line in
// layouts.cc.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/status.h"

namespace bittern::datasets {

enum class Split : std::uint8_t { kTrain, kValidation, kTest };
std::string_view name(Split split);  // "train", "validation", "test"
Expected<Split> parse_split(std::string_view name);

struct Clip {
  std::filesystem::path path = {};  // empty: digital silence, `seconds` long
  int label = 0;                    // index into Dataset::labels
  std::string speaker = {};         // empty where not known
  Split split = Split::kTrain;
  // Part of the file: from `offset_seconds`, `seconds` long; 0: the whole file.
  double offset_seconds = 0;
  double seconds = 0;
};

struct Dataset {
  std::string name;  // the layout's name and the folder's: "folders/digits-10"
  std::string layout;
  std::vector<std::string> labels;           // sorted by bytes, in every layout
  std::vector<Clip> clips;                   // in a fixed order: split, label, path
  std::vector<std::filesystem::path> noise;  // background recordings, if the layout has some
  std::vector<std::string> warnings;         // a class without clips in a split, ...
  std::vector<const Clip*> of(Split split) const;
  // But for those that say which label lacks clips in another split; no split: in any.
  std::vector<std::string> warnings_for(std::optional<Split> split) const;
  std::string digest() const;  // hexadecimal, over relative paths, sizes, labels and splits
  std::filesystem::path root;
};

struct ScanOptions {
  std::string layout = "auto";  // a layout's name; auto: the first that recognises the folder
  // For what is drawn for training (speech-commands' balanced _unknown_ and _silence_). Splits and the clips
  // of validation and test never depend on it: accuracies of several seeds compare, and no test clip was
  // heard.
  std::uint64_t seed = 0;
  // Layout-specific, such as "12" or "35" for speech-commands; empty: the layout's default.
  std::string task = {};
};

struct Layout {
  std::string_view name;  // "folders", "speech-commands", "mswc", "voxforge"
  std::string_view summary;
  bool (*recognises)(const std::filesystem::path& root);
  Expected<Dataset> (*scan)(const std::filesystem::path& root, const ScanOptions& options);
};

// What a clip is called below `root`, by load() and in reports: "yes/1.wav", "noise/rain.wav@12.000s" for a
// part of a recording, "(silence)".
std::string clip_name(const Clip& clip, const std::filesystem::path& root);

// One clip's samples, mono.
Expected<std::vector<float>> read(const Clip& clip, int sample_rate);

std::span<const Layout> layouts();

// Errors: a missing or empty folder, no clips at all, a label with no clips; unknown layout or task. A split
// may be empty (a folder with only test/ can be evaluated): whoever needs a split checks for it. Other
// oddities are warnings. No clip is decoded here, but for the background noise of speech-commands, whose
// length must be known.
Expected<Dataset> scan(const std::filesystem::path& root, const ScanOptions& options = {});

// The recordings in a folder and below it, for use as background noise, sorted by path. Errors: a missing
// folder, none in it.
Expected<std::vector<std::filesystem::path>> noise_files(const std::filesystem::path& folder);

// Decoded clips, one after another in `samples`.
struct LoadedClips {
  std::vector<std::vector<float>> samples;  // mono, at the wanted rate
  std::vector<int> labels;
  std::vector<std::string> names;  // path relative to the root
  std::vector<std::string> speakers;
  std::vector<std::string> skipped;  // one line per clip that is of no use
};

// Called between clips; false stops the work with kCancelled.
using Progress = std::function<bool(std::size_t done, std::size_t total)>;

// Whether a clip that could be decoded is of use.
using Accept = std::function<Status(std::span<const float> samples)>;

// Decodes clips in order. Unreadable ones, and those that `accept` refuses, are skipped and listed; more than
// 5 % of them is an error, and so is a split without clips. `progress` and `accept` may be null.
Expected<LoadedClips> load(const Dataset& dataset, Split split, int sample_rate,
                           const Progress& progress = nullptr, const Accept& accept = nullptr);

}  // namespace bittern::datasets
