# How much larger the static library makes a C program: examples/minimal.c against a program that does nothing, both
# stripped. Written to a header that `bittern bench --footprint` prints from.
if(BUILD_SHARED_LIBS)
  bittern_library(bittern_static STATIC)
  set(static_library bittern_static)
else()
  set(static_library bittern)
endif()
file(WRITE ${PROJECT_BINARY_DIR}/nothing.c "int main(void) { return 0; }\n")

# bittern_stripped(<target> <source> [<link option>...])
function(bittern_stripped target source)
  add_executable(${target} ${source})
  target_link_options(${target} PRIVATE -Wl,--gc-sections -s ${ARGN})
endfunction()
bittern_stripped(bittern_nothing ${PROJECT_BINARY_DIR}/nothing.c)
bittern_stripped(bittern_minimal ${PROJECT_SOURCE_DIR}/examples/minimal.c)
bittern_stripped(bittern_minimal_static ${PROJECT_SOURCE_DIR}/examples/minimal.c -static-libstdc++ -static-libgcc)
foreach(target bittern_minimal bittern_minimal_static)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wconversion -Werror)
  target_link_libraries(${target} PRIVATE ${static_library})
endforeach()

# Other builds are not what anybody would ship.
set(measured OFF)
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT BITTERN_SANITIZE)
  set(measured ON)
endif()
set(BITTERN_SIZES_HEADER ${PROJECT_BINARY_DIR}/generated/cli/library_sizes.h)
add_custom_command(OUTPUT ${BITTERN_SIZES_HEADER}
  COMMAND ${CMAKE_COMMAND} -DMEASURED=${measured} -DNOTHING=$<TARGET_FILE:bittern_nothing> -DMINIMAL=$<TARGET_FILE:bittern_minimal>
    -DSTATIC=$<TARGET_FILE:bittern_minimal_static> -DHEADER=${BITTERN_SIZES_HEADER} -P ${PROJECT_SOURCE_DIR}/cmake/library_sizes.cmake
  DEPENDS bittern_nothing bittern_minimal bittern_minimal_static ${PROJECT_SOURCE_DIR}/cmake/library_sizes.cmake
  COMMENT "Measuring the library"
  VERBATIM)
