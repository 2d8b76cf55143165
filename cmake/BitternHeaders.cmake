# Header-only dependencies for another machine. Its own headers lie elsewhere; the folder of this machine's would
# bring those of the C library along, so links to the few that are needed stand in a folder of their own.
set(folder ${PROJECT_BINARY_DIR}/headers)
file(MAKE_DIRECTORY ${folder})
foreach(name hwy flatbuffers xxhash.h)
  find_path(BITTERN_HEADERS_OF_${name} ${name} PATHS /usr/include REQUIRED NO_DEFAULT_PATH NO_CMAKE_FIND_ROOT_PATH)
  file(CREATE_LINK ${BITTERN_HEADERS_OF_${name}}/${name} ${folder}/${name} SYMBOLIC)
endforeach()
add_library(hwy::hwy INTERFACE IMPORTED GLOBAL)
set_target_properties(hwy::hwy PROPERTIES INTERFACE_INCLUDE_DIRECTORIES ${folder})
find_program(BITTERN_FLATC flatc REQUIRED)
add_executable(flatbuffers::flatc IMPORTED GLOBAL)
set_target_properties(flatbuffers::flatc PROPERTIES IMPORTED_LOCATION ${BITTERN_FLATC})
include_directories(SYSTEM ${folder})
