// Sounds that a network learns to tell apart within a few steps, and a training that nobody watches.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "audio/audio.h"
#include "core/random.h"
#include "datasets/dataset.h"
#include "training/trainer.h"

namespace bittern::training {

inline constexpr int kPitches = 4;

// A square wave somewhere in its label's octave, silent before and after, in noise.
inline std::vector<float> sound(int label, std::uint64_t seed, std::size_t count = 16000) {
  Random random{seed, static_cast<std::uint64_t>(label)};
  std::vector<float> samples(count);
  const std::uint64_t shortest = std::uint64_t{8} << static_cast<unsigned>(label);
  const std::size_t period = shortest + random.below(shortest);
  const float level = random.uniform(0.02F, 0.5F);
  const float noise = random.uniform(0.0F, 0.1F);
  const std::size_t begin = random.below(count * 3 / 8);
  const std::size_t end = count * 5 / 8 + random.below(count * 3 / 8);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const float tone = i % period < period / 2 ? level : -level;
    samples[i] = (i >= begin && i < end ? tone : 0.0F) + random.uniform(-noise, noise);
  }
  return samples;
}

// `clips` of every label that write_sounds() never writes.
inline datasets::LoadedClips sounds(int clips, std::size_t samples = 16000) {
  datasets::LoadedClips loaded;
  for (int label = 0; label < kPitches; ++label) {
    for (int clip = 0; clip < clips; ++clip) {
      loaded.samples.push_back(sound(label, 1000000 + static_cast<std::uint64_t>(clip), samples));
      loaded.labels.push_back(label);
    }
  }
  return loaded;
}

// A data set in folders: so many clips of every label to train on and to validate with.
inline void write_sounds(const std::filesystem::path& root, int train, int validation) {
  const auto write = [&](const char* split, int clips, std::uint64_t seed) {
    for (int label = 0; label < kPitches; ++label) {
      const std::filesystem::path folder = root / split / ("pitch-" + std::to_string(label));
      std::filesystem::create_directories(folder);
      for (int clip = 0; clip < clips; ++clip) {
        const auto samples = sound(label, seed + static_cast<std::uint64_t>(clip));
        ASSERT_TRUE(audio::write_wav(folder / ("s" + std::to_string(clip) + "_1.wav"), samples, 16000).ok());
      }
    }
  };
  write("train", train, 0);
  write("validation", validation, 1000);
}

class Silent final : public TrainObserver {
 public:
  void notice(const std::string&) override {}
  void loading(std::size_t, std::size_t) override {}
  void loaded(int, int) override {}
  void stepped(int, std::size_t, std::size_t, double) override {}
  void finished_epoch(const EpochReport&) override {}
  bool stop() override { return false; }
};

}  // namespace bittern::training
