#include "core/isa.h"

#include <array>

namespace bittern {
namespace {

struct Row {
  Isa isa;
  std::string_view name;
  bool (*runs_here)();
};

bool always() { return true; }

#if defined(__x86_64__)
// Each row asks for every extension that Highway lets the compiler use for that target.
bool has_sse4() {
  return __builtin_cpu_supports("sse4.1") && __builtin_cpu_supports("sse4.2") &&
         __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("aes");
}
bool has_avx2() {
  return has_sse4() && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") && __builtin_cpu_supports("f16c");
}
bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd");
}
bool has_avx512_dl() {
  return has_avx512() && __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vbmi") &&
         __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("avx512vpopcntdq") &&
         __builtin_cpu_supports("avx512bitalg") && __builtin_cpu_supports("vpclmulqdq") &&
         __builtin_cpu_supports("vaes") && __builtin_cpu_supports("gfni");
}
constexpr std::array kRows{Row{Isa::kBaseline, "baseline", always}, Row{Isa::kSse4, "sse4", has_sse4},
                           Row{Isa::kAvx2, "avx2", has_avx2}, Row{Isa::kAvx512, "avx512", has_avx512},
                           Row{Isa::kAvx512Dl, "avx512-dl", has_avx512_dl}};
#else
bool never() { return false; }
constexpr std::array kRows{Row{Isa::kBaseline, "baseline", always}, Row{Isa::kSse4, "sse4", never},
                           Row{Isa::kAvx2, "avx2", never}, Row{Isa::kAvx512, "avx512", never},
                           Row{Isa::kAvx512Dl, "avx512-dl", never}};
#endif

}  // namespace

std::string_view name(Isa isa) {
  for (const Row& row : kRows) {
    if (row.isa == isa) return row.name;
  }
  return "unknown";
}

std::optional<Isa> parse_isa(std::string_view name) {
  for (const Row& row : kRows) {
    if (row.name == name) return row.isa;
  }
  return std::nullopt;
}

std::vector<Isa> available_isas() {
  std::vector<Isa> isas;
  for (const Row& row : kRows) {
    if (row.runs_here()) isas.push_back(row.isa);
  }
  return isas;
}

Isa best_isa() { return available_isas().back(); }

}  // namespace bittern
