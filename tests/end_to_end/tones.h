// A data set that `bittern train` learns within a few steps, and command lines for it.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "audio/audio.h"
#include "audio/temp_folder.h"
#include "core/random.h"

namespace bittern::test {

// Tones of two pitches in noise: `clips` for each class and split.
inline void write_tones(const std::filesystem::path& root, int clips) {
  for (const char* split : {"train", "validation", "test"}) {
    for (const int pitch : {0, 1}) {
      const std::filesystem::path folder = root / split / (pitch == 0 ? "low" : "high");
      std::filesystem::create_directories(folder);
      for (int clip = 0; clip < clips; ++clip) {
        Random random{static_cast<std::uint64_t>(pitch), static_cast<std::uint64_t>(clip),
                      static_cast<std::uint64_t>(split[1])};
        std::vector<float> samples(16000);
        // A square wave: no library function between the seed and the samples.
        const std::size_t period = pitch == 0 ? 80 + random.below(20) : 16 + random.below(4);
        for (std::size_t i = 0; i < samples.size(); ++i)
          samples[i] = (i % period < period / 2 ? 0.2F : -0.2F) + random.uniform(-0.05F, 0.05F);
        ASSERT_TRUE(audio::write_wav(folder / ("s" + std::to_string(clip) + "_1.wav"), samples, 16000).ok());
      }
    }
  }
}

class ToneTraining : public testing::Test {
 protected:
  void SetUp() override { write_tones(folder_ / "data", 8); }
  std::string path(std::string_view name) const { return (folder_ / name).string(); }
  // `more`: options with their values, instead of or beside the defaults.
  std::vector<std::string> arguments(const std::string& run,
                                     const std::vector<std::string>& more = {}) const {
    const std::vector<std::string> defaults{
        "--data",  path("data"), "--out",     path(run), "--epochs",           "3",
        "--batch", "8",          "--threads", "1",       "--checkpoint-every", "1"};
    std::vector<std::string> list{"train"};
    for (std::size_t i = 0; i < defaults.size(); i += 2)
      if (std::find(more.begin(), more.end(), defaults[i]) == more.end())
        list.insert(list.end(), {defaults[i], defaults[i + 1]});
    list.insert(list.end(), more.begin(), more.end());
    return list;
  }
  TempFolder folder_;
};

}  // namespace bittern::test
