# Debian's Emscripten (script/bootstrap --all-targets): WebAssembly with SIMD, to be run by Node.
set(EMSCRIPTEN_ROOT_PATH /usr/share/emscripten)
include(${EMSCRIPTEN_ROOT_PATH}/cmake/Modules/Platform/Emscripten.cmake)
set(CMAKE_SYSTEM_PROCESSOR wasm32)
add_compile_options(-msimd128 $<$<COMPILE_LANGUAGE:CXX>:-include${CMAKE_CURRENT_LIST_DIR}/wasm32-emscripten.h>)
