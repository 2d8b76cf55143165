# libtorch: Debian's, or another's by -DTorch_DIR=FOLDER/share/cmake/Torch, such as the package on PyPI.
#
# Target bittern_torch: its headers and libraries, without the options that torch's own targets would put on whoever
# links them.
option(BITTERN_CUDA "Link the part of libtorch that needs CUDA, where it has one" ON)

# A libtorch with CUDA looks for CUDA's compiler unless this target is there. Nothing here is compiled by it.
if(NOT TARGET torch::cudart)
  add_library(torch::cudart INTERFACE IMPORTED)
endif()
# It looks for its own libraries and other CMake files as for anybody's: those beside it are to be found first.
set(prefix_path ${CMAKE_PREFIX_PATH})
if(Torch_DIR)
  get_filename_component(torch_prefix ${Torch_DIR}/../../.. ABSOLUTE)
  list(PREPEND CMAKE_PREFIX_PATH ${torch_prefix})
endif()
find_package(Torch REQUIRED)
set(CMAKE_PREFIX_PATH ${prefix_path})

# Another than the distribution's holds libraries of its own, oneDNN and fmt among them, and brings their headers. Those of
# ours would be found behind them and not fit: only torch's own folders are included.
set(torch_include_dirs ${TORCH_INCLUDE_DIRS})
set(BITTERN_TORCH_HOLDS_DNNL OFF)
list(GET TORCH_INCLUDE_DIRS 0 torch_include)
if(NOT torch_include IN_LIST CMAKE_CXX_IMPLICIT_INCLUDE_DIRECTORIES)
  set(BITTERN_TORCH_HOLDS_DNNL ON)
  set(links ${PROJECT_BINARY_DIR}/torch_include)
  set(torch_include_dirs ${links} ${links}/torch/csrc/api/include)
  file(MAKE_DIRECTORY ${links})
  foreach(folder ATen c10 caffe2 torch)
    file(CREATE_LINK ${torch_include}/${folder} ${links}/${folder} SYMBOLIC)
  endforeach()
endif()

add_library(bittern_torch INTERFACE)
target_include_directories(bittern_torch SYSTEM INTERFACE ${torch_include_dirs})
target_link_libraries(bittern_torch INTERFACE
  $<LINK_ONLY:$<IF:$<BOOL:${BITTERN_CUDA}>,torch_library,torch_cpu_library>> $<LINK_ONLY:c10>)
