// A small counter-based random generator (SplitMix64 finaliser over a key and a counter; Steele, Lea, Flood
// 2014). Streams are named by integers, so any draw can be repeated from (seed, epoch, clip, ...) without
// keeping state.
#pragma once

#include <cstdint>
#include <initializer_list>

namespace bittern {

class Random {
 public:
  // Different names give independent streams.
  explicit Random(std::initializer_list<std::uint64_t> name) {
    for (const std::uint64_t part : name)
      state_ = mix(state_ + 0x9E3779B97F4A7C15U + part * 0xD1342543DE82EF95U);
  }

  std::uint64_t next() { return mix(state_ += 0x9E3779B97F4A7C15U); }

  // Uniform in [0, bound), bound > 0; the bias of the remainder is under bound / 2^64.
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }

  // Uniform in [0, 1), 24 bits.
  float uniform() { return static_cast<float>(next() >> 40U) * 0x1p-24F; }
  float uniform(float low, float high) { return low + (high - low) * uniform(); }

 private:
  static std::uint64_t mix(std::uint64_t x) {
    x = (x ^ (x >> 30U)) * 0xBF58476D1CE4E5B9U;
    x = (x ^ (x >> 27U)) * 0x94D049BB133111EBU;
    return x ^ (x >> 31U);
  }
  std::uint64_t state_ = 0;
};

}  // namespace bittern
