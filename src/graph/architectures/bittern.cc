// Any network of Bittern's own family, for experiments: "bittern:DESIGN".
#include "graph/architectures/design.h"
#include "graph/architectures/list.h"

namespace bittern::graph {

constinit const Architecture kBittern{
    "bittern",       "any network of Bittern's own family, written down as bittern:DESIGN", add_design,
    add_design_head, [](std::string_view design) { return design_placements(design, {}); }, check_design};

}  // namespace bittern::graph
