// 1-bit tensors: how signs become bits, and where each bit lies.
//
// sign(x) = -1 if x < 0, else +1 (so sign(0) = sign(-0) = +1). Bit 1 = negative, bit 0 = positive or padding.
//
// Activations, one pixel:        uint64 words[words_for(channels)], channel c at word c / 64, bit c % 64.
// Dense rows:                    one such row of words per output.
// Convolution kernels:           uint64 [output block][tap][word][lane], 8 lanes a block:
//
//      block 0                                      block 1
//      tap 0                    tap 1 ...           tap 0 ...
//      word 0        word 1     word 0              word 0
//      [o0 o1 .. o7] [o0 .. o7] [o0 .. o7] ...      [o8 o9 .. o15] ...
//
// where tap = row * kernel_frequency + column of the kernel ([time, frequency]), and lane l of block b holds
// output channel 8 b + l. Lanes past the last output and bits past the last input channel are 0.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

namespace bittern {

inline constexpr int kWordBits = 64;
inline constexpr int kBlockLanes = 8;

constexpr int words_for(int channels) { return (channels + kWordBits - 1) / kWordBits; }
constexpr int blocks_for(int outputs) { return (outputs + kBlockLanes - 1) / kBlockLanes; }

constexpr std::size_t packed_kernel_words(int outputs, int taps, int inputs) {
  return static_cast<std::size_t>(blocks_for(outputs)) * static_cast<std::size_t>(taps) *
         static_cast<std::size_t>(words_for(inputs)) * kBlockLanes;
}

// Index of the word that holds output `output`, tap `tap`, input word `word`.
constexpr std::size_t packed_kernel_index(int output, int tap, int word, int taps, int words) {
  const auto block = static_cast<std::size_t>(output / kBlockLanes);
  const auto lane = static_cast<std::size_t>(output % kBlockLanes);
  return ((block * static_cast<std::size_t>(taps) + static_cast<std::size_t>(tap)) *
              static_cast<std::size_t>(words) +
          static_cast<std::size_t>(word)) *
             kBlockLanes +
         lane;
}

constexpr std::uint64_t sign_bit(float x) { return x < 0.0F ? 1U : 0U; }

// Packs a float kernel [taps][inputs][outputs] (HWIO) by sign into `packed`, packed_kernel_words() words.
inline void pack_kernel(const float* kernel, int outputs, int taps, int inputs, std::uint64_t* packed) {
  const int words = words_for(inputs);
  const auto pack_block = [&](int tap, int word, int first, int lanes) {
    std::uint64_t bits[kBlockLanes] = {};
    for (int input = word * kWordBits; input < inputs && input < (word + 1) * kWordBits; ++input) {
      const float* row = kernel +
                         (static_cast<std::size_t>(tap) * static_cast<std::size_t>(inputs) +
                          static_cast<std::size_t>(input)) *
                             static_cast<std::size_t>(outputs) +
                         first;
      for (int lane = 0; lane < lanes; ++lane) bits[lane] |= sign_bit(row[lane]) << (input % kWordBits);
    }
    std::uint64_t* to = packed + packed_kernel_index(first, tap, word, taps, words);
    for (int lane = 0; lane < kBlockLanes; ++lane) to[lane] = bits[lane];
  };
  for (int tap = 0; tap < taps; ++tap) {
    for (int word = 0; word < words; ++word) {
      int output = 0;
      for (; output + kBlockLanes <= outputs; output += kBlockLanes)
        pack_block(tap, word, output, kBlockLanes);
      if (output < outputs) pack_block(tap, word, output, outputs - output);
    }
  }
}

constexpr std::size_t tap_bits_size(int outputs, int taps) {
  return static_cast<std::size_t>(taps) * static_cast<std::size_t>(blocks_for(outputs)) * kBlockLanes;
}

// How many bits of a packed kernel are 1, for each tap and output: [taps][blocks_for(outputs) * 8],
// tap_bits_size() numbers.
void count_tap_bits(const std::uint64_t* packed, int outputs, int taps, int inputs, std::int16_t* counts);

// Packs `count` floats by sign into words_for(count) words.
inline void pack_row(const float* values, int count, std::uint64_t* packed) {
  for (int word = 0; word < words_for(count); ++word) {
    std::uint64_t bits = 0;
    for (int i = word * kWordBits; i < count && i < (word + 1) * kWordBits; ++i) {
      bits |= sign_bit(values[i]) << (i % kWordBits);
    }
    packed[word] = bits;
  }
}

}  // namespace bittern
