// What the backward pass of binary convolutions is computed in.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace bittern::training {

enum class Precision : std::uint8_t {
  kAuto,  // the fastest that the processor has (binary_gradients.h)
  kFp32,
  kBf16,   // the output's gradient rounded to bf16, sums in float32
  kInt16,  // the output's gradient in fixed point, each block of up to 65 numbers with its own scale
};

std::string_view name(Precision precision);  // "auto", "fp32", "bf16", "int16"
std::optional<Precision> parse_precision(std::string_view name);

}  // namespace bittern::training
