// bittern-tiny: four bands over frequency from the start, so that a layer has few pixels, and 64 channels,
// one word of signs, everywhere.
#include <array>

#include "graph/architectures/design.h"
#include "graph/architectures/list.h"

namespace bittern::graph {
namespace {

struct Tiny {
  static constexpr std::string_view kName = "bittern-tiny";
  static constexpr std::string_view kSummary = "BitternTiny: for microcontrollers, a file below 64 KiB";
  static constexpr std::string_view kDesign = "i5x16s4x16-64x1n-64x3n-64x1n";
  static constexpr std::array kExits = {"s1.b1", "s2.b2", "s2.b3", "s3.b1"};
};

}  // namespace

constinit const Architecture kBitternTiny = design_preset<Tiny>();

}  // namespace bittern::graph
