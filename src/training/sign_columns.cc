#include "training/sign_columns.h"

#include <algorithm>
#include <array>

#include "core/aligned.h"
#include "core/bits.h"
#include "core/isa.h"
#include "kernels/kernels.h"
#include "training/bit_matrix.h"
#include "training/vectorised.h"

namespace bittern::training {
namespace {

BITTERN_VECTORISED void signs_from_bits(std::uint64_t bits, std::int64_t count, float* to) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = ((bits >> i) & 1U) != 0 ? -1.0F : 1.0F;
}
BITTERN_VECTORISED void signs_from_bits(std::uint64_t bits, std::int64_t count, Bf16* to) {
  constexpr std::uint64_t kOne = 0x3F80;
  for (std::int64_t i = 0; i < count; ++i)
    to[i].bits = static_cast<std::uint16_t>(kOne | ((bits >> i) & 1U) << 15U);
}

template <class T>
void columns(const float* x, std::int64_t clips, std::int64_t channels, T* to, std::int64_t stride) {
  const auto depth = static_cast<int>(channels);
  const int words = words_for(depth);
  AlignedBuffer<std::uint64_t> packed(static_cast<std::size_t>(clips) * static_cast<std::size_t>(words));
  const auto count = static_cast<int>(clips);
  kernels::kernels(best_isa())
      .pack_signs(kernels::dense_view(x, 1, count, depth), nullptr, nullptr,
                  kernels::dense_view(packed.data(), 1, count, words), 0, 1);
  std::array<std::uint64_t, kWordBits> square{};
  for (std::int64_t first = 0; first < clips; first += kWordBits) {
    const std::int64_t here = std::min<std::int64_t>(kWordBits, clips - first);
    for (int word = 0; word < words; ++word) {
      for (std::int64_t n = 0; n < here; ++n)
        square[static_cast<std::size_t>(n)] = packed.data()[(first + n) * words + word];
      transpose_bits(square);
      const int channel = word * kWordBits;
      for (int c = 0; c < std::min(kWordBits, depth - channel); ++c)
        signs_from_bits(square[static_cast<std::size_t>(c)], here, to + (channel + c) * stride + first);
    }
  }
}

}  // namespace

void sign_columns(const float* x, std::int64_t clips, std::int64_t channels, float* to, std::int64_t stride) {
  columns(x, clips, channels, to, stride);
}

void sign_columns(const float* x, std::int64_t clips, std::int64_t channels, Bf16* to, std::int64_t stride) {
  columns(x, clips, channels, to, stride);
}

}  // namespace bittern::training
