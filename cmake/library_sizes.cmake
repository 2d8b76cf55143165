# See BitternFootprint.cmake.
foreach(program NOTHING MINIMAL STATIC)
  file(SIZE ${${program}} bytes_${program})
endforeach()
set(library 0)
set(with_runtime 0)
if(MEASURED)
  math(EXPR library "${bytes_MINIMAL} - ${bytes_NOTHING}")
  math(EXPR with_runtime "${bytes_STATIC} - ${bytes_NOTHING}")
endif()
file(WRITE ${HEADER} "// Bytes that libbittern.a adds to a stripped C program; 0: not measured in this build.
#pragma once
namespace bittern::cli {
inline constexpr long long kLibraryBytes = ${library};
inline constexpr long long kLibraryBytesWithCxxRuntime = ${with_runtime};
}  // namespace bittern::cli
")
