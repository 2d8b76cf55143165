// bittern-base: as fine a map behind the stem as QuickNet's; a first exit behind one binary layer, and wide
// sections where the map is small.
#include "graph/architectures/design.h"
#include "graph/architectures/list.h"

namespace bittern::graph {
namespace {

struct Base {
  static constexpr std::string_view kName = "bittern-base";
  static constexpr std::string_view kSummary =
      "BitternBase: the most accurate of the family, in half of QuickNet's time";
  static constexpr std::string_view kDesign = "i5x8s4x4-64x1n-64x4s2x1bin-128x5bin-256x3bin";
  static constexpr std::array kExits = {"s1.b1", "s2.b4", "s3.b5", "s4.b2", "s4.b3"};
};

}  // namespace

constinit const Architecture kBitternBase = design_preset<Base>();

}  // namespace bittern::graph
