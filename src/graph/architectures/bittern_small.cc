// bittern-small: four bands over frequency from the start, as in bittern-tiny, and twice the channels behind
// them.
#include <array>

#include "graph/architectures/design.h"
#include "graph/architectures/list.h"

namespace bittern::graph {
namespace {

struct Small {
  static constexpr std::string_view kName = "bittern-small";
  static constexpr std::string_view kSummary =
      "BitternSmall: for phones and small computers, a sixth of QuickNet's time";
  static constexpr std::string_view kDesign = "i5x16s4x16-64x3n-128x2s2x1bin-128x2bin";
  static constexpr std::array kExits = {"s1.b1", "s1.b3", "s2.b2", "s3.b2"};
};

}  // namespace

constinit const Architecture kBitternSmall = design_preset<Small>();

}  // namespace bittern::graph
