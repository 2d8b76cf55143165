// bf16: a float's upper half. Signs are exact in it, other values lose up to 1 part in 256.
#pragma once

#include <bit>
#include <cstdint>

namespace bittern::training {

struct Bf16 {
  std::uint16_t bits;
  bool operator==(const Bf16&) const = default;
};

// To the nearest, ties to even; a NaN stays one.
inline Bf16 to_bf16(float value) {
  const auto bits = std::bit_cast<std::uint32_t>(value);
  const std::uint32_t rounded = (bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U;
  constexpr std::uint32_t kNan = 0x7FC0;
  return {static_cast<std::uint16_t>(value != value ? kNan : rounded)};
}

inline float to_float(Bf16 value) { return std::bit_cast<float>(std::uint32_t{value.bits} << 16U); }

}  // namespace bittern::training
