# Compiler settings shared by every target of the project.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_C_STANDARD 11)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

# Options of our own code; dependencies' headers are SYSTEM and stay silent.
add_library(bittern_settings INTERFACE)
target_compile_options(bittern_settings INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Werror
  -ffp-contract=off)  # multiply then add, never fused: the same bits on every machine
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # False alarms on "literal" + std::string in GCC 12 (GCC bug 105651).
  target_compile_options(bittern_settings INTERFACE -Wno-restrict)
endif()
target_compile_definitions(bittern_settings INTERFACE
  FLATBUFFERS_MAX_ALIGNMENT=64  # FlatBuffers 2.0.8 otherwise stops at 32
  HWY_WANT_AVX3_DL=1)           # VPOPCNTDQ is behind this switch in Highway 1.0
if(CMAKE_SYSTEM_PROCESSOR MATCHES "aarch64|arm64")
  # Where Highway believes that it can choose at run time, NEON asks for the AES extension, which a Raspberry Pi 4 lacks.
  target_compile_definitions(bittern_settings INTERFACE TOOLCHAIN_MISS_SYS_AUXV_H=1)
endif()
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  # Highway below x86-64-v2 has only one-lane vectors.
  target_compile_options(bittern_settings INTERFACE -march=x86-64-v2)
endif()
target_include_directories(bittern_settings INTERFACE ${PROJECT_SOURCE_DIR}/src ${PROJECT_BINARY_DIR}/src)

if(BITTERN_SANITIZE)
  add_compile_options(-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options(-fsanitize=address,undefined)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # False alarms inside <regex> and <functional>: sanitizers hide initialisations from GCC's flow analysis.
    target_compile_options(bittern_settings INTERFACE -Wno-maybe-uninitialized)
  endif()
endif()
