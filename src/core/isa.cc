#include "core/isa.h"

#include <array>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace bittern {
namespace {

struct Row {
  Isa isa;
  std::string_view name;
  bool (*runs_here)();
};

bool always() { return true; }

#if defined(__x86_64__)
// Two extensions that Clang's __builtin_cpu_supports does not know. Both work on AVX registers: that the
// system saves those is for the caller to ask.
bool has_f16c() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c & bit_F16C) != 0;
}
bool has_vaes() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (c & bit_VAES) != 0;
}

// Each row asks for every extension that Highway lets the compiler use for that target, but for AVX-VNNI,
// which Ice Lake lacks and no code here gives a compiler reason to use.
bool has_sse4() {
  return __builtin_cpu_supports("sse4.1") && __builtin_cpu_supports("sse4.2") &&
         __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("aes");
}
bool has_avx2() {
  return has_sse4() && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
         __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2") && has_f16c();
}
bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512cd");
}
bool has_avx512_dl() {
  return has_avx512() && __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vbmi") &&
         __builtin_cpu_supports("avx512vbmi2") && __builtin_cpu_supports("avx512vpopcntdq") &&
         __builtin_cpu_supports("avx512bitalg") && __builtin_cpu_supports("vpclmulqdq") && has_vaes() &&
         __builtin_cpu_supports("gfni");
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

// Asked once: in a virtual machine every CPUID is a call of the host, some microseconds.
Isa best_isa() {
  static const Isa best = available_isas().back();
  return best;
}

}  // namespace bittern
