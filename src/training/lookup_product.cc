#include "training/lookup_product.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdlib>

#include "core/bits.h"
#include "training/bit_matrix.h"

#if defined(__x86_64__) && defined(__GNUC__)
#define BITTERN_LOOKUPS 1
#include <immintrin.h>
#endif

namespace bittern::training {
namespace {

constexpr int kGroup = LookupBlocks::kGroup;
constexpr int kRows = LookupBlocks::kRows;
constexpr int kLanes = LookupBlocks::kLanes;
// Numbers from one row's table to the next row's, and from one step's tables to the next step's.
constexpr std::ptrdiff_t kTable = kLanes;
constexpr std::ptrdiff_t kTables = kTable * kRows;

}  // namespace

LookupBlocks::LookupBlocks(std::int64_t numbers) : length(numbers) {
  const std::int64_t groups = (length + kGroup - 1) / kGroup;
  blocks = static_cast<int>((groups + kMostSteps - 1) / kMostSteps);
  steps = static_cast<int>((groups + blocks - 1) / blocks);
  limit = INT16_MAX / (kGroup * steps);
}

#ifdef BITTERN_LOOKUPS

// Not for the whole file: what it shares with others must run on any processor.
#define BITTERN_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,bmi2")))

bool has_lookups() {
  static const bool has = __builtin_cpu_supports("avx512f") != 0 && __builtin_cpu_supports("avx512bw") != 0 &&
                          __builtin_cpu_supports("avx512dq") != 0 &&
                          __builtin_cpu_supports("avx512vl") != 0 && __builtin_cpu_supports("bmi2") != 0;
  return has;
}

namespace {

// The lanes of an expanded pair of numbers u, v in {u + v | u - v} and, from 32 on, the negatives: for both
// signs +, the first -, the second -, both.
constexpr std::array<int, 4> kPair = {0, 32 + 16, 16, 32};

struct Expansion {
  std::array<std::uint16_t, kLanes> low{};   // of numbers 0 and 1
  std::array<std::uint16_t, kLanes> high{};  // of numbers 2 and 3
  std::array<std::uint16_t, kLanes> last{};  // of number 4, in {v | -v}
};

constexpr Expansion kExpansion = [] {
  Expansion result;
  for (std::size_t code = 0; code < kLanes; ++code) {
    result.low[code] = static_cast<std::uint16_t>(kPair[code % 4]);
    result.high[code] = static_cast<std::uint16_t>(kPair[code / 4 % 4]);
    result.last[code] = static_cast<std::uint16_t>(code / 16 * 16);
  }
  return result;
}();

BITTERN_AVX512 inline __m512i both_halves(__m256i low, __m256i high) {
  return _mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1);
}

// The numbers behind the first `count` of 16 are not read.
BITTERN_AVX512 inline __mmask16 first_lanes(std::int64_t count) {
  return static_cast<__mmask16>(
      _bzhi_u32(0xFFFF, static_cast<unsigned>(std::clamp<std::int64_t>(count, 0, 16))));
}

// Bit i of the result: channel x[i] is negative, for up to 16 of them.
BITTERN_AVX512 inline unsigned negative(const float* x, __mmask16 channels) {
  return _mm512_cmp_ps_mask(_mm512_maskz_loadu_ps(channels, x), _mm512_setzero_ps(), _CMP_LT_OQ);
}

// Where the numbers of a block's groups lie: number b of all of them at first[b] and behind.
struct Parts {
  BITTERN_AVX512 Parts(const LookupBlocks& shape, int block) {
    for (int b = 0; b < kGroup; ++b) {
      first[b] = block * shape.block_length() + std::int64_t{b} * shape.steps;
      lanes[b] = first_lanes(std::min<std::int64_t>(shape.steps, shape.length - first[b]));
    }
  }

  std::int64_t first[kGroup];
  __mmask16 lanes[kGroup];
};

// What a number of each row is multiplied by to be in units; `scales` are their sizes.
BITTERN_AVX512 inline __m256 find_scales(const LookupBlocks& shape, const Parts& parts, const float* values,
                                         std::int64_t stride, int rows, float* scales) {
  alignas(32) std::array<std::uint32_t, kRows> largest{};
  for (int row = 0; row < rows; ++row, values += stride) {
    // As integers, what is not finite is larger than any number.
    __m512i most = _mm512_setzero_si512();
    for (int b = 0; b < kGroup; ++b)
      most = _mm512_max_epu32(
          most,
          _mm512_castps_si512(_mm512_abs_ps(_mm512_maskz_loadu_ps(parts.lanes[b], values + parts.first[b]))));
    largest[static_cast<std::size_t>(row)] = _mm512_reduce_max_epu32(most);
  }
  // Below this the factor overflows, and nothing that small moves a weight.
  const __m256 least = _mm256_set1_ps(1e-30F);
  const __m256 limit = _mm256_set1_ps(static_cast<float>(shape.limit));
  const __m256 most =
      _mm256_castsi256_ps(_mm256_load_si256(reinterpret_cast<const __m256i*>(largest.data())));
  const __mmask8 some = _mm256_cmp_ps_mask(most, least, _CMP_NLT_UQ);
  const auto present = static_cast<__mmask8>((1U << static_cast<unsigned>(rows)) - 1U);
  _mm256_mask_storeu_ps(scales, present, _mm256_maskz_div_ps(some, most, limit));
  return _mm256_maskz_div_ps(some, limit, most);
}

// The tables of a row's block.
BITTERN_AVX512 inline void expand(const LookupBlocks& shape, const Parts& parts, const float* values,
                                  float factor, std::int16_t* tables) {
  const __m512 units = _mm512_set1_ps(factor);
  __m256i v[kGroup];
#pragma GCC unroll 5
  for (int b = 0; b < kGroup; ++b) {
    const __m512 part = _mm512_maskz_loadu_ps(parts.lanes[b], values + parts.first[b]);
    v[b] = _mm512_cvtsepi32_epi16(_mm512_cvtps_epi32(_mm512_mul_ps(part, units)));
  }
  const __m512i zero = _mm512_setzero_si512();
  const __m512i low = both_halves(_mm256_add_epi16(v[0], v[1]), _mm256_sub_epi16(v[0], v[1]));
  const __m512i high = both_halves(_mm256_add_epi16(v[2], v[3]), _mm256_sub_epi16(v[2], v[3]));
  const __m512i last = both_halves(v[4], _mm256_sub_epi16(_mm256_setzero_si256(), v[4]));
  const __m512i minus_low = _mm512_sub_epi16(zero, low);
  const __m512i minus_high = _mm512_sub_epi16(zero, high);
  const __m512i one = _mm512_set1_epi16(1);
  __m512i low_lanes = _mm512_loadu_si512(kExpansion.low.data());
  __m512i high_lanes = _mm512_loadu_si512(kExpansion.high.data());
  __m512i last_lanes = _mm512_loadu_si512(kExpansion.last.data());
  for (int step = 0; step < shape.steps; ++step, tables += kTables) {
    const __m512i sum = _mm512_add_epi16(_mm512_permutex2var_epi16(low, low_lanes, minus_low),
                                         _mm512_permutex2var_epi16(high, high_lanes, minus_high));
    _mm512_store_si512(tables, _mm512_add_epi16(sum, _mm512_permutexvar_epi16(last_lanes, last)));
    low_lanes = _mm512_add_epi16(low_lanes, one);
    high_lanes = _mm512_add_epi16(high_lanes, one);
    last_lanes = _mm512_add_epi16(last_lanes, one);
  }
}

// turn() of up to 16 x 16 numbers.
BITTERN_AVX512 inline void turn_square(const float* from, std::int64_t stride, std::int64_t rows,
                                       std::int64_t columns, float* to, std::int64_t to_stride) {
  __m512 a[16];
  __m512 b[16];
  const __mmask16 read = first_lanes(columns);
  for (int r = 0; r < 16; ++r)
    a[r] = r < rows ? _mm512_maskz_loadu_ps(read, from + r * stride) : _mm512_setzero_ps();
    // Pairs of rows, then fours, within each quarter; then the quarters themselves.
#pragma GCC unroll 8
  for (int r = 0; r < 16; r += 2) {
    b[r] = _mm512_unpacklo_ps(a[r], a[r + 1]);
    b[r + 1] = _mm512_unpackhi_ps(a[r], a[r + 1]);
  }
#pragma GCC unroll 4
  for (int r = 0; r < 16; r += 4) {
    const __m512d first_low = _mm512_castps_pd(b[r]);
    const __m512d first_high = _mm512_castps_pd(b[r + 1]);
    const __m512d second_low = _mm512_castps_pd(b[r + 2]);
    const __m512d second_high = _mm512_castps_pd(b[r + 3]);
    a[r] = _mm512_castpd_ps(_mm512_unpacklo_pd(first_low, second_low));
    a[r + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(first_low, second_low));
    a[r + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(first_high, second_high));
    a[r + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(first_high, second_high));
  }
  const __mmask16 written = first_lanes(rows);
#pragma GCC unroll 4
  for (int c = 0; c < 4; ++c) {
    // Columns c, c + 4, c + 8 and c + 12 are spread over the quarters of these.
    const __m512 low = _mm512_shuffle_f32x4(a[c], a[c + 4], 0x88);
    const __m512 low_odd = _mm512_shuffle_f32x4(a[c], a[c + 4], 0xDD);
    const __m512 high = _mm512_shuffle_f32x4(a[c + 8], a[c + 12], 0x88);
    const __m512 high_odd = _mm512_shuffle_f32x4(a[c + 8], a[c + 12], 0xDD);
    const __m512 out[4] = {
        _mm512_shuffle_f32x4(low, high, 0x88), _mm512_shuffle_f32x4(low_odd, high_odd, 0x88),
        _mm512_shuffle_f32x4(low, high, 0xDD), _mm512_shuffle_f32x4(low_odd, high_odd, 0xDD)};
    for (int i = 0; i < 4; ++i)
      if (c + 4 * i < columns) _mm512_mask_storeu_ps(to + (c + 4 * i) * to_stride, written, out[i]);
  }
}

// Sums of kCount vectors over one block.
template <int kCount>
BITTERN_AVX512 inline void add_block(int steps, std::int64_t offset, const std::int16_t* tables,
                                     const float* scales, const LookupVector* vectors, std::int64_t stride) {
  __m512i sums[kCount][kRows];
#pragma GCC unroll 2
  for (int v = 0; v < kCount; ++v)
#pragma GCC unroll 8
    for (int row = 0; row < kRows; ++row) sums[v][row] = _mm512_setzero_si512();
  for (int step = 0; step < steps; ++step, tables += kTables, offset += kLanes) {
    __m512i codes[kCount];
#pragma GCC unroll 2
    for (int v = 0; v < kCount; ++v) codes[v] = _mm512_loadu_si512(vectors[v].codes + offset);
#pragma GCC unroll 8
    for (int row = 0; row < kRows; ++row) {
      const __m512i table = _mm512_load_si512(tables + row * kTable);
#pragma GCC unroll 2
      for (int v = 0; v < kCount; ++v)
        sums[v][row] = _mm512_add_epi16(sums[v][row], _mm512_permutexvar_epi16(codes[v], table));
    }
  }
  const __m512i even = _mm512_set1_epi32(1);
  const __m512i odd = _mm512_set1_epi32(1 << 16);
#pragma GCC unroll 8
  for (int row = 0; row < kRows; ++row) {
    const __m512 scale = _mm512_set1_ps(scales[row]);
#pragma GCC unroll 2
    for (int v = 0; v < kCount; ++v) {
      float* const to = vectors[v].sums + row * stride;
      const __m512 low = _mm512_cvtepi32_ps(_mm512_madd_epi16(sums[v][row], even));
      const __m512 high = _mm512_cvtepi32_ps(_mm512_madd_epi16(sums[v][row], odd));
      _mm512_storeu_ps(to, _mm512_fmadd_ps(low, scale, _mm512_loadu_ps(to)));
      _mm512_storeu_ps(to + 16, _mm512_fmadd_ps(high, scale, _mm512_loadu_ps(to + 16)));
    }
  }
}

}  // namespace

BITTERN_AVX512 void build_tables(const LookupBlocks& shape, const float* values, std::int64_t stride,
                                 int rows, std::int16_t* tables, float* scales) {
  for (int block = 0; block < shape.blocks; ++block, scales += kRows) {
    const Parts parts(shape, block);
    const __m256 factors = find_scales(shape, parts, values, stride, rows, scales);
    alignas(32) std::array<float, kRows> factor;
    _mm256_store_ps(factor.data(), factors);
    for (int row = 0; row < rows; ++row)
      expand(shape, parts, values + row * stride, factor[static_cast<std::size_t>(row)],
             tables + row * kTable);
    tables += shape.steps * kTables;
  }
}

BITTERN_AVX512 void turn(const float* from, std::int64_t stride, std::int64_t rows, std::int64_t columns,
                         float* to, std::int64_t to_stride) {
  for (std::int64_t r = 0; r < rows; r += 16)
    for (std::int64_t c = 0; c < columns; c += 16)
      turn_square(from + r * stride + c, stride, std::min<std::int64_t>(rows - r, 16),
                  std::min<std::int64_t>(columns - c, 16), to + c * to_stride + r, to_stride);
}

BITTERN_AVX512 void look_at(const float* x, std::int64_t channels, float clip, LaneBits* signs,
                            LaneBits* inside) {
  const __m512 zero = _mm512_setzero_ps();
  const __m512 edge = _mm512_set1_ps(clip);
  for (std::int64_t c = 0; c < channels; c += kLanes, ++signs, ++inside) {
    const __m512 low = _mm512_maskz_loadu_ps(first_lanes(channels - c), x + c);
    const __m512 high = _mm512_maskz_loadu_ps(first_lanes(channels - c - 16), x + c + 16);
    *signs = _pdep_u32(_mm512_cmp_ps_mask(low, zero, _CMP_LT_OQ), 0x55555555U) |
             _pdep_u32(_mm512_cmp_ps_mask(high, zero, _CMP_LT_OQ), 0xAAAAAAAAU);
    *inside = static_cast<LaneBits>(_mm512_cmp_ps_mask(_mm512_abs_ps(low), edge, _CMP_LE_OQ)) |
              static_cast<LaneBits>(_mm512_cmp_ps_mask(_mm512_abs_ps(high), edge, _CMP_LE_OQ)) << 16U;
  }
}

BITTERN_AVX512 void column_codes(const LookupBlocks& shape, const LaneBits* signs, std::int64_t stride,
                                 std::uint16_t* codes) {
  for (int block = 0; block < shape.blocks; ++block) {
    for (int step = 0; step < shape.steps; ++step, codes += kLanes) {
      __m512i code = _mm512_setzero_si512();
      for (int b = 0; b < kGroup; ++b) {
        const std::int64_t k = block * shape.block_length() + std::int64_t{b} * shape.steps + step;
        if (k >= shape.length) break;
        code = _mm512_mask_add_epi16(code, signs[k * stride], code,
                                     _mm512_set1_epi16(static_cast<std::int16_t>(1 << b)));
      }
      _mm512_storeu_si512(codes, code);
    }
  }
}

BITTERN_AVX512 void keep_inside(const float* from, const LaneBits* inside, std::int64_t channels, bool past,
                                float* to) {
  const bool aligned = reinterpret_cast<std::uintptr_t>(to) % 64 == 0;
  for (std::int64_t c = 0; c < channels; c += 16) {
    const __mmask16 there = first_lanes(channels - c);
    const auto bits = static_cast<__mmask16>(inside[c / kLanes] >> (c % kLanes));
    const __m512 kept = _mm512_maskz_loadu_ps(static_cast<__mmask16>(bits & there), from + c);
    if (past && aligned && c + 16 <= channels) {
      _mm512_stream_ps(to + c, kept);
    } else {
      _mm512_mask_storeu_ps(to + c, there, kept);
    }
  }
}

void finish_stores() { _mm_sfence(); }

BITTERN_AVX512 void row_codes(const LookupBlocks& shape, const float* x, std::int64_t stride, int channels,
                              std::uint16_t* codes) {
  std::fill_n(codes, shape.codes_size(), std::uint16_t{0});
  std::array<std::uint64_t, kWordBits> square{};
  for (std::int64_t first = 0; first < shape.length; first += kWordBits) {
    square.fill(0);
    for (int channel = 0; channel < channels; ++channel) {
      std::uint64_t signs = 0;
      for (int part = 0; part < kWordBits; part += 16) {
        signs |= std::uint64_t{negative(x + channel * stride + first + part,
                                        first_lanes(shape.length - first - part))}
                 << part;
      }
      const int lane = 2 * (channel % 16) + channel / 16;
      square[static_cast<std::size_t>(lane)] = signs;
    }
    transpose_bits(square);
    const std::int64_t end = std::min<std::int64_t>(first + kWordBits, shape.length);
    for (std::int64_t k = first; k < end; ++k) {
      const std::int64_t inside = k % shape.block_length();
      const std::int64_t step = k / shape.block_length() * shape.steps + inside % shape.steps;
      std::uint16_t* const to = codes + step * kLanes;
      const __m512i code = _mm512_loadu_si512(to);
      const auto signs = static_cast<__mmask32>(square[static_cast<std::size_t>(k - first)]);
      _mm512_storeu_si512(to, _mm512_mask_add_epi16(
                                  code, signs, code,
                                  _mm512_set1_epi16(static_cast<std::int16_t>(1 << (inside / shape.steps)))));
    }
  }
}

BITTERN_AVX512 void add_lookups(const LookupBlocks& shape, int first, int last, const std::int16_t* tables,
                                const float* scales, const LookupVector* vectors, std::int64_t count,
                                std::int64_t stride) {
  const std::int64_t step_codes = std::int64_t{shape.steps} * kLanes;
  std::int64_t v = 0;
  for (; v + 2 <= count; v += 2)
    for (int block = first; block < last; ++block)
      add_block<2>(shape.steps, block * step_codes, tables + block * step_codes * kRows,
                   scales + std::ptrdiff_t{block} * kRows, vectors + v, stride);
  for (int block = first; v < count && block < last; ++block)
    add_block<1>(shape.steps, block * step_codes, tables + block * step_codes * kRows,
                 scales + std::ptrdiff_t{block} * kRows, vectors + v, stride);
}

#else

bool has_lookups() { return false; }

void build_tables(const LookupBlocks&, const float*, std::int64_t, int, std::int16_t*, float*) {
  std::abort();
}
void turn(const float*, std::int64_t, std::int64_t, std::int64_t, float*, std::int64_t) { std::abort(); }
void look_at(const float*, std::int64_t, float, LaneBits*, LaneBits*) { std::abort(); }
void column_codes(const LookupBlocks&, const LaneBits*, std::int64_t, std::uint16_t*) { std::abort(); }
void keep_inside(const float*, const LaneBits*, std::int64_t, bool, float*) { std::abort(); }
void finish_stores() { std::abort(); }
void row_codes(const LookupBlocks&, const float*, std::int64_t, int, std::uint16_t*) { std::abort(); }
void add_lookups(const LookupBlocks&, int, int, const std::int16_t*, const float*, const LookupVector*,
                 std::int64_t, std::int64_t) {
  std::abort();
}

#endif

}  // namespace bittern::training
