#include "training/precision.h"

#include <array>
#include <utility>

namespace bittern::training {
namespace {

constexpr std::array<std::pair<Precision, std::string_view>, 4> kNames = {{{Precision::kAuto, "auto"},
                                                                           {Precision::kFp32, "fp32"},
                                                                           {Precision::kBf16, "bf16"},
                                                                           {Precision::kInt16, "int16"}}};

}  // namespace

std::string_view name(Precision precision) {
  for (const auto& [value, text] : kNames)
    if (value == precision) return text;
  return {};
}

std::optional<Precision> parse_precision(std::string_view name) {
  for (const auto& [value, text] : kNames)
    if (text == name) return value;
  return std::nullopt;
}

}  // namespace bittern::training
