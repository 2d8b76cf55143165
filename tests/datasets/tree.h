// Miniature data sets in a temporary folder.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "audio/audio_files.h"
#include "datasets/dataset.h"
#include "datasets/listing.h"

namespace bittern::datasets {

// A real, short recording; the format follows the name. Files whose content does not matter are cheaper
// through touch().
inline void record(const std::filesystem::path& path, int samples = 1600, int rate = 16000) {
  const std::string extension = path.extension().string();
  const int format = extension == ".flac"   ? SF_FORMAT_FLAC | SF_FORMAT_PCM_16
                     : extension == ".opus" ? SF_FORMAT_OGG | SF_FORMAT_OPUS
                                            : SF_FORMAT_WAV | SF_FORMAT_PCM_16;
  ASSERT_TRUE(test::write_audio(path, format, test::tone(samples, 440, rate), rate)) << path;
}

inline void touch(const std::filesystem::path& path) { test::write_bytes(path, "stand-in"); }

// "train yes/a.wav" for every clip, sorted.
inline std::vector<std::string> listing(const Dataset& dataset) {
  std::vector<std::string> lines;
  for (const Clip& clip : dataset.clips)
    lines.push_back(std::string(name(clip.split)) + " " +
                    dataset.labels[static_cast<std::size_t>(clip.label)] + " " +
                    (clip.path.empty() ? "-" : relative_name(clip.path, dataset.root)));
  std::sort(lines.begin(), lines.end());
  return lines;
}

inline std::size_t count(const Dataset& dataset, Split split, std::string_view label) {
  return static_cast<std::size_t>(
      std::count_if(dataset.clips.begin(), dataset.clips.end(), [&](const Clip& clip) {
        return clip.split == split && dataset.labels[static_cast<std::size_t>(clip.label)] == label;
      }));
}

// The splits in which each speaker is heard.
inline std::map<std::string, std::set<Split>> splits_of_speakers(const Dataset& dataset) {
  std::map<std::string, std::set<Split>> splits;
  for (const Clip& clip : dataset.clips)
    if (!clip.speaker.empty()) splits[clip.speaker].insert(clip.split);
  return splits;
}

inline bool has_warning(const Dataset& dataset, std::string_view part) {
  return std::any_of(dataset.warnings.begin(), dataset.warnings.end(),
                     [&](const std::string& warning) { return warning.find(part) != std::string::npos; });
}

// scan() that must succeed.
inline Dataset must_scan(const std::filesystem::path& root, const ScanOptions& options = {}) {
  auto dataset = scan(root, options);
  EXPECT_TRUE(dataset.ok()) << dataset.error().message;
  return dataset.ok() ? std::move(dataset).value() : Dataset{};
}

// The message of a scan() that must fail: one line.
inline std::string scan_error(const std::filesystem::path& root, const ScanOptions& options = {}) {
  const auto dataset = scan(root, options);
  EXPECT_FALSE(dataset.ok());
  if (dataset.ok()) return "";
  EXPECT_EQ(dataset.error().message.find('\n'), std::string::npos);
  return dataset.error().message;
}

}  // namespace bittern::datasets
