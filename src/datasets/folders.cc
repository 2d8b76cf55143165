// <root>/<class>/<clips> or <root>/{train,validation,test}/<class>/<clips>.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "core/text.h"
#include "datasets/finish.h"
#include "datasets/labels.h"
#include "datasets/layouts.h"
#include "datasets/left_out.h"
#include "datasets/listing.h"
#include "datasets/speakers.h"
#include "datasets/splitting.h"

namespace bittern::datasets {
namespace fs = std::filesystem;

namespace {

std::optional<Split> split_called(const fs::path& folder) {
  struct Name {
    std::string_view name;
    Split split;
  };
  static constexpr std::array kNames = {
      Name{"train", Split::kTrain},
      Name{"training", Split::kTrain},
      Name{"validation", Split::kValidation},
      Name{"valid", Split::kValidation},
      Name{"val", Split::kValidation},
      Name{"dev", Split::kValidation},
      Name{"test", Split::kTest},
      Name{"testing", Split::kTest},
  };
  const std::string called = lower_case(folder.filename().string());
  for (const Name& candidate : kNames)
    if (called == candidate.name) return candidate.split;
  return std::nullopt;
}

class Scanner {
 public:
  explicit Scanner(const fs::path& root) {
    dataset_.root = root;
    dataset_.layout = "folders";
  }

  Expected<Dataset> scan() {
    BITTERN_ASSIGN_OR_RETURN(const Listing top, list_folder(dataset_.root));
    if (top.folders.empty())
      return invalid_argument(
          fmt::format("{}: no class folders in it ({} recordings); expected DIR/<class>/<clip> "
                      "or DIR/{{train,validation,test}}/<class>/<clip>",
                      dataset_.root.string(), top.audio.size()));
    BITTERN_ASSIGN_OR_RETURN(const auto splits, split_folders(top));
    if (splits.empty()) {
      BITTERN_RETURN_IF_ERROR(read_classes(top, Split::kTrain));
    } else {
      for (const auto& [split, folder] : splits) {
        BITTERN_ASSIGN_OR_RETURN(const Listing classes, list_folder(folder));
        BITTERN_RETURN_IF_ERROR(read_classes(classes, split));
      }
      for (const fs::path& folder : top.folders) {
        if (folder.filename() == kNoiseFolder) {
          BITTERN_RETURN_IF_ERROR(read_noise(folder));
        } else if (!split_called(folder)) {
          beside_.add(relative(folder));
        }
      }
      loose_.add(top.audio, dataset_.root);
    }
    for (const LeftOut* what : {&beside_, &loose_, &deeper_, &others_}) what->warn(dataset_);
    dataset_.labels = labels_.names();
    find_speakers(dataset_.clips, dataset_.labels);
    if (splits.empty() && !dataset_.clips.empty()) {
      split_by_speaker(dataset_.clips, dataset_.root);
      const auto unnamed = std::count_if(dataset_.clips.begin(), dataset_.clips.end(),
                                         [](const Clip& clip) { return clip.speaker.empty(); });
      if (unnamed > 0)
        dataset_.warnings.push_back(
            fmt::format("no split folders, and the names of {} of {} clips do not tell the speaker: they "
                        "were split one by "
                        "one, so a speaker may be in train and in test",
                        unnamed, dataset_.clips.size()));
    }
    return finish(std::move(dataset_));
  }

 private:
  using SplitFolders = std::map<Split, fs::path>;

  std::string relative(const fs::path& path) const { return relative_name(path, dataset_.root); }

  // Folders called like splits are splits where at least one of them holds folders; a class may be called
  // "train" too.
  Expected<SplitFolders> split_folders(const Listing& top) {
    SplitFolders found;
    bool have_classes = false;
    std::string doubled;
    for (const fs::path& folder : top.folders) {
      const std::optional<Split> split = split_called(folder);
      if (!split) continue;
      BITTERN_ASSIGN_OR_RETURN(const Listing inner, list_folder(folder));
      have_classes = have_classes || !inner.folders.empty();
      const auto [place, is_new] = found.emplace(*split, folder);
      if (!is_new)
        doubled = fmt::format("both '{}' and '{}' would be the {} split; keep one", relative(place->second),
                              relative(folder), name(*split));
    }
    if (!have_classes) return SplitFolders{};
    if (!doubled.empty()) return invalid_argument(fmt::format("{}: {}", dataset_.root.string(), doubled));
    return found;
  }

  Status read_classes(const Listing& parent, Split split) {
    loose_.add(parent.audio, dataset_.root);
    for (const fs::path& folder : parent.folders) {
      if (folder.filename() == kNoiseFolder) {
        BITTERN_RETURN_IF_ERROR(read_noise(folder));
        continue;
      }
      BITTERN_ASSIGN_OR_RETURN(const Listing clips, list_folder(folder));
      const int label = labels_.index(folder.filename().string());
      for (const fs::path& path : clips.audio)
        dataset_.clips.push_back({.path = path, .label = label, .split = split});
      deeper_.add(clips.folders, dataset_.root);
      others_.add(clips.others, dataset_.root);
    }
    return {};
  }

  Status read_noise(const fs::path& folder) {
    BITTERN_ASSIGN_OR_RETURN(const Listing listing, list_folder(folder));
    dataset_.noise.insert(dataset_.noise.end(), listing.audio.begin(), listing.audio.end());
    deeper_.add(listing.folders, dataset_.root);
    return {};
  }

  Dataset dataset_;
  LabelList labels_;
  LeftOut beside_{"folder", "beside the split folders"};
  LeftOut loose_{"recording", "outside the class folders"};
  LeftOut deeper_{"folder", "inside a class or background noise"};
  LeftOut others_{"file", "in class folders, not ending like WAV, FLAC, Ogg, Opus or MP3"};
};

}  // namespace

bool recognises_folders(const fs::path& root) { return is_folder(root); }

Expected<Dataset> scan_folders(const fs::path& root, const ScanOptions& options) {
  if (!options.task.empty())
    return invalid_argument(fmt::format("layout folders has no task '{}'; it has none at all", options.task));
  return Scanner(root).scan();
}

}  // namespace bittern::datasets
