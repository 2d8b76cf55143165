// Sums of numbers with signs by table lookup, for the backward pass of binary convolutions (AVX-512).
//
// Five numbers with any signs have 32 sums, and 32 numbers of 16 bits fill a vector. So one permutation of
// that vector, by 32 codes of five signs each, makes 160 products with +-1 and most of their sums: five times
// what an AVX-512 instruction does in bf16.
//
// Numbers are rounded to fixed point for it: they are taken in blocks of at most 65, each with a scale of its
// own, within which any sum fits 16 bits. A block's largest number is at least 504 units, a bf16 number 128
// to 255 of its own. Sums over blocks are float32.
#pragma once

#include <cstdint>

namespace bittern::training {

// Whether this processor and build have the instructions; nothing else here may be called where not.
bool has_lookups();

// How `length` numbers are divided. Number k of a block is number k / steps of its group k % steps; what
// lies behind the last is 0.
struct LookupBlocks {
  static constexpr int kGroup = 5;  // numbers of a table
  static constexpr int kMostSteps = 13;
  static constexpr int kRows = 8;    // rows of numbers whose tables lie side by side
  static constexpr int kLanes = 32;  // codes of a vector

  explicit LookupBlocks(std::int64_t numbers);

  std::int64_t length;
  int blocks;
  int steps;  // groups of a block
  int limit;  // of a number in units: kGroup * steps * limit fits 16 bits

  std::int64_t block_length() const { return std::int64_t{kGroup} * steps; }
  // Numbers of 16 bits: of kRows rows' tables, and of a vector's codes.
  std::int64_t tables_size() const { return std::int64_t{blocks} * steps * kRows * kLanes; }
  std::int64_t codes_size() const { return std::int64_t{blocks} * steps * kLanes; }
  std::int64_t scales_size() const { return std::int64_t{blocks} * kRows; }
};

// Tables of values[rows][length], rows `stride` apart and at most kRows of them: tables
// [blocks][steps][kRows][kLanes], aligned to 64 bytes, scales [blocks][kRows]. Those of missing rows are left
// alone. A block with a number that is not finite gets a scale that is not.
void build_tables(const LookupBlocks& shape, const float* values, std::int64_t stride, int rows,
                  std::int16_t* tables, float* scales);

// to[c * to_stride + r] = from[r * stride + c].
void turn(const float* from, std::int64_t stride, std::int64_t rows, std::int64_t columns, float* to,
          std::int64_t to_stride);

// A bit for each of up to kLanes channels.
using LaneBits = std::uint32_t;

// Of one row of `channels` numbers, words of kLanes: signs, lane by lane (below), and which |x| are at most
// `clip`, bit i for channel i.
void look_at(const float* x, std::int64_t channels, float clip, LaneBits* signs, LaneBits* inside);

// The codes [blocks][steps][kLanes] of signs[length], `stride` apart: bit b of a code is set where its number
// b goes in negatively. Lane 2 i is channel i, lane 2 i + 1 is channel 16 + i.
void column_codes(const LookupBlocks& shape, const LaneBits* signs, std::int64_t stride,
                  std::uint16_t* codes);

// The same of the signs of x[channels][length], `channels` at most kLanes, rows `stride` apart.
void row_codes(const LookupBlocks& shape, const float* x, std::int64_t stride, int channels,
               std::uint16_t* codes);

// to[i] = from[i] where the bits say so, else 0, for `channels` channels, bits of kLanes a word. `past`: to
// is not read again soon, so it need not stay in caches; before others read it, finish_stores().
void keep_inside(const float* from, const LaneBits* inside, std::int64_t channels, bool past, float* to);
void finish_stores();

// A vector of codes, and where its sums go: sums[row * stride + channel].
struct LookupVector {
  const std::uint16_t* codes;
  float* sums;
};

// sums += the numbers of blocks [first, last) with each vector's signs, for kRows rows.
void add_lookups(const LookupBlocks& shape, int first, int last, const std::int16_t* tables,
                 const float* scales, const LookupVector* vectors, std::int64_t count, std::int64_t stride);

}  // namespace bittern::training
