// What the matrix products of a training are made in.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace bittern::training {

enum class Precision : std::uint8_t {
  kAuto,  // bf16 where the processor multiplies it in hardware, else fp32
  kFp32,
  kBf16,  // factors rounded to bf16, sums in float32
};

std::string_view name(Precision precision);  // "auto", "fp32", "bf16"
std::optional<Precision> parse_precision(std::string_view name);

}  // namespace bittern::training
