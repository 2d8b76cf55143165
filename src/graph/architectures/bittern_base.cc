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
  static constexpr std::string_view kDesign = "i5x8s4x4-64x1n-64x3s2x1bin-128x4bin-256x4bin";
  static constexpr std::array kExits = {"s1.b1", "s2.b3", "s3.b4", "s4.b2", "s4.b4"};
};

}  // namespace

constinit const Architecture kBitternBase = design_preset<Base>();

}  // namespace bittern::graph
