// The parts of a block on their own, on every instruction set.
#include "features/block.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "core/math.h"
#include "core/random.h"

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace bittern::features {
namespace {

constexpr float kGuard = -12345.0F;
constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(Block, SanitizeMapsEverySampleIntoRangeAndNoOther) {
  const std::vector<std::pair<float, float>> pairs = {
      {0.5F, 0.5F},
      {-1.0F, -1.0F},
      {kLeastSample, kLeastSample},
      {std::nextafter(kLeastSample, 0.0F), 0.0F},
      {-std::nextafter(kLeastSample, 0.0F), 0.0F},
      {1e-40F, 0.0F},
      {0.0F, 0.0F},
      {kMostSample, kMostSample},
      {std::nextafter(kMostSample, kInfinity), kMostSample},
      {-kInfinity, -kMostSample},
      {kInfinity, kMostSample},
      {std::numeric_limits<float>::quiet_NaN(), 0.0F},
      {-std::numeric_limits<float>::quiet_NaN(), 0.0F},
  };
  for (const Isa isa : available_isas()) {
    for (std::size_t count = 0; count <= 40; ++count) {
      for (const std::size_t misaligned : {0, 1, 3}) {
        std::vector<float> input(misaligned + count), output(misaligned + count + 20, kGuard);
        for (std::size_t i = 0; i < count; ++i)
          input[misaligned + i] = pairs[(i * 5 + count) % pairs.size()].first;
        block_functions(isa).sanitize(input.data() + misaligned, count, output.data() + misaligned);
        for (std::size_t i = 0; i < count; ++i) {
          ASSERT_EQ(output[misaligned + i], pairs[(i * 5 + count) % pairs.size()].second) << name(isa);
        }
        ASSERT_EQ(std::count(output.begin(), output.end(), kGuard),
                  static_cast<std::ptrdiff_t>(misaligned + 20));
      }
    }
  }
}

TEST(Block, LogarithmsAreThoseOfTheScalarFunction) {
  LogMelSpec spec;
  spec.offset = 1e-12F;
  const auto tables = make_tables(spec);
  ASSERT_TRUE(tables.ok());
  Random random{30};
  for (const Isa isa : available_isas()) {
    const BlockFunctions& functions = block_functions(isa);
    AlignedBuffer<float> energies(tables->mel_bins * functions.lanes);
    for (int round = 0; round < 200; ++round) {
      std::vector<float> expected(energies.size());
      for (std::size_t i = 0; i < energies.size(); ++i) {
        energies[i] = std::ldexp(random.uniform(), static_cast<int>(random.below(100)) - 60);
        expected[i] = math::log(energies[i] + spec.offset);
      }
      functions.logarithms(*tables, energies.data());
      ASSERT_TRUE(std::equal(expected.begin(), expected.end(), energies.data())) << name(isa);
    }
  }
}

TEST(Block, RowsBeyondTheFramesAreLeftAlone) {
  for (const int mel_bins : {1, 3, 4, 30, 64}) {
    LogMelSpec spec;
    spec.mel_bins = mel_bins;
    const auto tables = make_tables(spec);
    ASSERT_TRUE(tables.ok());
    const auto bins = static_cast<std::size_t>(mel_bins);
    for (const Isa isa : available_isas()) {
      const BlockFunctions& functions = block_functions(isa);
      AlignedBuffer<float> energies(bins * functions.lanes);
      for (std::size_t i = 0; i < energies.size(); ++i) energies[i] = static_cast<float>(i);
      for (std::size_t frames = 0; frames <= functions.lanes; ++frames) {
        std::vector<float> output(functions.lanes * bins, kGuard);
        functions.store_rows(*tables, energies.data(), frames, output.data());
        for (std::size_t i = 0; i < output.size(); ++i) {
          const std::size_t frame = i / bins;
          const float expected =
              frame < frames ? static_cast<float>(i % bins * functions.lanes + frame) : kGuard;
          ASSERT_EQ(output[i], expected) << name(isa) << ", " << mel_bins << " bins, " << frames << " frames";
        }
      }
    }
  }
}

#if defined(__SSE__)
// Audio programs often run with denormal numbers switched off.
TEST(Block, FlushToZeroModeChangesNoBit) {
  LogMelSpec spec;
  spec.offset = 1e-12F;
  const auto tables = make_tables(spec);
  ASSERT_TRUE(tables.ok());
  Random random{31};
  for (const Isa isa : available_isas()) {
    const BlockFunctions& functions = block_functions(isa);
    const std::size_t count = (functions.lanes - 1) * tables->hop + tables->frame_length;
    std::vector<float> samples(count), clean(count + 3);
    AlignedBuffer<float> work(functions.work_floats(*tables));
    AlignedBuffer<float> features(tables->mel_bins * functions.lanes);
    const auto run = [&](unsigned mode) {
      const unsigned saved = _mm_getcsr();
      _mm_setcsr(saved | mode);
      functions.sanitize(samples.data(), count, clean.data());
      functions.energies(*tables, clean.data(), work.data(), features.data());
      functions.logarithms(*tables, features.data());
      _mm_setcsr(saved);
      return std::vector<float>(features.data(), features.data() + features.size());
    };
    for (int exponent = -149; exponent <= 0; ++exponent) {
      for (float& s : samples) s = std::ldexp(random.uniform(-1, 1), exponent);
      const auto expected = run(0);
      ASSERT_EQ(run(0x8040), expected) << name(isa) << ", samples near 2^" << exponent;
    }
  }
}
#endif

}  // namespace
}  // namespace bittern::features
