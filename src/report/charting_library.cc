#include "report/charting_library.h"

// The assembler takes the file as it is: as an array in C++ it would take minutes to compile.
asm(".pushsection .rodata\n"
    "kBitternChartingLibraryBegin:\n"
    ".incbin \"" BITTERN_CHARTING_LIBRARY
    "\"\n"
    "kBitternChartingLibraryEnd:\n"
    ".popsection\n");
extern "C" {
extern const char kBitternChartingLibraryBegin[];
extern const char kBitternChartingLibraryEnd[];
}

namespace bittern::report {

std::string_view charting_library() {
  return {kBitternChartingLibraryBegin,
          static_cast<std::size_t>(kBitternChartingLibraryEnd - kBitternChartingLibraryBegin)};
}

}  // namespace bittern::report
