// Instruction sets for which kernels are compiled, and which of them this machine can run.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace bittern {

// From least to most able. kBaseline is what the whole library is compiled for: SSSE3 on x86-64-v2, NEON on
// aarch64, SIMD128 in WebAssembly, plain C++ elsewhere.
enum class Isa { kBaseline, kSse4, kAvx2, kAvx512, kAvx512Dl };

std::string_view name(Isa isa);  // "baseline", "sse4", "avx2", "avx512", "avx512-dl"
std::optional<Isa> parse_isa(std::string_view name);

// The instruction sets that this machine can run, least able first; always starts with kBaseline.
std::vector<Isa> available_isas();
Isa best_isa();

}  // namespace bittern
