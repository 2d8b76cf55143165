// The constants that the files of this folder define.
#pragma once

#include "graph/architecture.h"

namespace bittern::graph {

#define BITTERN_ARCHITECTURE(constant) extern const Architecture constant;
#define BITTERN_FAMILY BITTERN_ARCHITECTURE
#include "graph/architectures/list.inc"
#undef BITTERN_FAMILY
#undef BITTERN_ARCHITECTURE

}  // namespace bittern::graph
