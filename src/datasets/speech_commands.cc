// Google Speech Commands v0.02 as downloaded: <root>/<word>/<speaker>_nohash_<n>.wav, validation_list.txt,
// testing_list.txt, _background_noise_/. Warden 2018, https://arxiv.org/abs/1804.03209.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "audio/audio.h"
#include "core/random.h"
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

constexpr std::string_view kSilence = "_silence_";
constexpr std::string_view kUnknown = "_unknown_";
constexpr std::array<std::string_view, 10> kTenWords = {"yes",   "no", "up",  "down", "left",
                                                        "right", "on", "off", "stop", "go"};
constexpr std::array<Split, 3> kSplits = {Split::kTrain, Split::kValidation, Split::kTest};
constexpr int kRate = 16000;         // Hz: pieces of silence begin at whole samples of it
constexpr double kPieceSeconds = 1;  // of silence

bool is_one_of_ten(const std::string& word) {
  return std::find(kTenWords.begin(), kTenWords.end(), word) != kTenWords.end();
}

// A part of a background recording that belongs to one split.
struct Stretch {
  fs::path path;
  std::int64_t begin = 0;   // samples at kRate
  std::int64_t starts = 0;  // places where a whole piece can begin
};

class Scanner {
 public:
  Scanner(const fs::path& root, std::uint64_t seed) : seed_(seed) {
    dataset_.root = root;
    dataset_.layout = "speech-commands";
  }

  Expected<Dataset> scan(bool twelve) {
    BITTERN_ASSIGN_OR_RETURN(const Listing top, list_folder(dataset_.root));
    BITTERN_RETURN_IF_ERROR(read_list("validation_list.txt", Split::kValidation));
    BITTERN_RETURN_IF_ERROR(read_list("testing_list.txt", Split::kTest));
    for (const fs::path& folder : top.folders) {
      BITTERN_ASSIGN_OR_RETURN(const Listing listing, list_folder(folder));
      if (folder.filename() == kNoiseFolder) {
        dataset_.noise = listing.audio;
      } else {
        read_word(folder.filename().string(), listing.audio);
        others_.add(listing.others, dataset_.root);
      }
      deeper_.add(listing.folders, dataset_.root);
    }
    loose_.add(top.audio, dataset_.root);
    for (const LeftOut* what : {&loose_, &deeper_, &others_}) what->warn(dataset_);
    const std::size_t missing = listed_.size() - used_.size();
    if (missing > 0)
      dataset_.warnings.push_back(
          fmt::format("{} of the {} recordings in validation_list.txt and testing_list.txt are missing",
                      missing, listed_.size()));
    if (twelve) {
      BITTERN_RETURN_IF_ERROR(make_twelve());
    } else {
      for (auto& [word, clips] : words_) {
        const int label = labels_.index(word);
        for (Clip& clip : clips) add(std::move(clip), label);
      }
    }
    dataset_.labels = labels_.names();
    return finish(std::move(dataset_));
  }

 private:
  // "bed/0a0b0c0d_nohash_0" of a path: lists name .wav files, which may have been made FLAC since.
  static std::string key_of(const fs::path& relative) {
    return (relative.parent_path() / relative.stem()).generic_string();
  }

  Status read_list(const char* file, Split split) {
    const fs::path path = dataset_.root / file;
    std::ifstream stream(path);
    if (!stream) return io_error(path.string() + ": cannot be read; it says which recordings are held out");
    for (std::string line; std::getline(stream, line);) {
      while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
      if (!line.empty()) listed_.emplace(key_of(line), split);
    }
    if (stream.bad()) return io_error(path.string() + ": reading failed");
    return {};
  }

  void read_word(const std::string& word, const std::vector<fs::path>& files) {
    std::vector<Clip>& clips = words_[word];
    for (const fs::path& path : files) {
      const auto place = listed_.find(key_of(fs::path(word) / path.filename()));
      if (place != listed_.end()) used_.insert(place->first);
      clips.push_back({.path = path,
                       .speaker = speaker_in_name(path),
                       .split = place != listed_.end() ? place->second : Split::kTrain});
    }
  }

  // Only train's draws follow the seed: what models are measured on is the same for all.
  std::uint64_t seed_of(Split split) const { return split == Split::kTrain ? seed_ : 0; }

  void add(Clip clip, int label) {
    clip.label = label;
    dataset_.clips.push_back(std::move(clip));
  }

  Status make_twelve() {
    std::array<std::size_t, 3> counts = {};
    std::array<std::vector<Clip>, 3> others;
    for (auto& [word, clips] : words_) {
      if (is_one_of_ten(word)) {
        const int label = labels_.index(word);
        for (Clip& clip : clips) {
          ++counts[static_cast<std::size_t>(clip.split)];
          add(std::move(clip), label);
        }
      } else {
        for (Clip& clip : clips) others[static_cast<std::size_t>(clip.split)].push_back(std::move(clip));
      }
    }
    for (const std::string_view word : kTenWords)
      if (!words_.contains(std::string(word)))
        return invalid_argument(
            fmt::format("{}: no folder '{}', which task 12 needs; task 35 takes what is there",
                        dataset_.root.string(), word));
    if (std::all_of(others.begin(), others.end(), [](const auto& clips) { return clips.empty(); }))
      return invalid_argument(
          fmt::format("{}: no words beside the ten, which task 12 needs for {}; task 35 takes what is there",
                      dataset_.root.string(), kUnknown));
    std::array<std::size_t, 3> wanted = {};  // the mean of the ten words, to the nearest
    for (std::size_t i = 0; i < wanted.size(); ++i) wanted[i] = (counts[i] + 5) / 10;
    for (const Split split : kSplits) {
      const auto i = static_cast<std::size_t>(split);
      if (wanted[i] == 0 && counts[i] > 0) wanted[i] = 1;
      draw_unknown(others[i], wanted[i], seed_of(split));
    }
    make_silence(wanted);
    return {};
  }

  void draw_unknown(std::vector<Clip>& others, std::size_t wanted, std::uint64_t seed) {
    std::vector<std::pair<std::uint64_t, std::size_t>> order;
    for (std::size_t i = 0; i < others.size(); ++i)
      order.emplace_back(draw_key(seed, key_of(relative_name(others[i].path, dataset_.root))), i);
    std::sort(order.begin(), order.end());
    order.resize(std::min(order.size(), wanted));
    const int label = labels_.index(std::string(kUnknown));
    for (const auto& [key, i] : order) add(std::move(others[i]), label);
  }

  // Train hears the first 80 % of each background recording, validation the next tenth, test the last: none
  // of them hears another's.
  std::array<std::vector<Stretch>, 3> stretches() {
    constexpr auto kPiece = static_cast<std::int64_t>(kPieceSeconds * kRate);
    std::array<std::vector<Stretch>, 3> found;
    std::vector<fs::path> readable;
    for (const fs::path& path : dataset_.noise) {
      const auto samples = audio::decode(path, {.sample_rate = kRate});
      if (!samples.ok()) {
        dataset_.warnings.push_back("left out: " + samples.error().message);
        continue;
      }
      readable.push_back(path);
      const auto length = static_cast<std::int64_t>(samples->size());
      const std::array<std::int64_t, 4> bounds = {0, length * 8 / 10, length * 9 / 10, length};
      for (std::size_t i = 0; i < found.size(); ++i)
        if (bounds[i + 1] - bounds[i] >= kPiece)
          found[i].push_back({path, bounds[i], bounds[i + 1] - bounds[i] - kPiece + 1});
    }
    dataset_.noise = std::move(readable);
    return found;
  }

  void make_silence(const std::array<std::size_t, 3>& wanted) {
    const int label = labels_.index(std::string(kSilence));
    const auto found = stretches();
    for (const Split split : kSplits) {
      const auto i = static_cast<std::size_t>(split);
      const std::vector<Stretch>& of_split = found[i];
      if (of_split.empty() && wanted[i] > 0)
        dataset_.warnings.push_back(fmt::format(
            "{} has no second of background noise: its {} is digital silence", name(split), kSilence));
      Random random({seed_of(split), draw_key(0, kSilence), i});
      for (std::size_t k = 0; k < wanted[i]; ++k) {
        Clip clip;
        clip.split = split;
        clip.seconds = kPieceSeconds;
        std::string recording;
        // One in ten of train is digital silence, which a microphone that is off gives.
        const bool digital = of_split.empty() || (split == Split::kTrain && k % 10 == 9);
        if (!digital) {
          const Stretch& stretch = of_split[random.below(of_split.size())];
          clip.path = stretch.path;
          const auto start =
              static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(stretch.starts)));
          clip.offset_seconds = static_cast<double>(stretch.begin + start) / kRate;
          recording = relative_name(stretch.path, dataset_.root);
        }
        // Pieces of one stretch overlap, so they stand or fall together as the clips of a speaker do.
        clip.speaker = fmt::format("{}:{}:{}", kSilence, recording, name(split));
        add(std::move(clip), label);
      }
    }
  }

  std::uint64_t seed_;
  Dataset dataset_;
  LabelList labels_;
  std::map<std::string, Split> listed_;
  std::set<std::string> used_;  // of listed_: those that exist
  std::map<std::string, std::vector<Clip>> words_;
  LeftOut loose_{"recording", "outside the words' folders"};
  LeftOut deeper_{"folder", "inside a word's or background noise"};
  LeftOut others_{"file", "in words' folders, not ending like WAV, FLAC, Ogg, Opus or MP3"};
};

}  // namespace

bool recognises_speech_commands(const fs::path& root) {
  return is_file(root / "validation_list.txt") && is_file(root / "testing_list.txt");
}

Expected<Dataset> scan_speech_commands(const fs::path& root, const ScanOptions& options) {
  if (!options.task.empty() && options.task != "12" && options.task != "35")
    return invalid_argument(
        fmt::format("layout speech-commands has no task '{}'; choose 12 or 35", options.task));
  return Scanner(root, options.seed).scan(options.task != "35");
}

}  // namespace bittern::datasets
