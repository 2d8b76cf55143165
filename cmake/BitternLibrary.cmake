# libbittern: all library rooms in one, and what is installed with it. Static, or shared with BUILD_SHARED_LIBS.
include(CMakePackageConfigHelpers)
include(CheckLinkerFlag)
include(GNUInstallDirs)

check_linker_flag(CXX -Wl,--version-script=${PROJECT_SOURCE_DIR}/cmake/bittern.map BITTERN_HAVE_VERSION_SCRIPT)
set_property(GLOBAL PROPERTY BITTERN_LIBRARY_ROOMS ${BITTERN_LIBRARY_ROOMS})

# bittern_library(<target> [STATIC|SHARED])
function(bittern_library target)
  set(version_script ${PROJECT_SOURCE_DIR}/cmake/bittern.map)
  get_property(rooms GLOBAL PROPERTY BITTERN_LIBRARY_ROOMS)
  add_library(${target} ${ARGN})
  foreach(room IN LISTS rooms)
    target_sources(${target} PRIVATE $<TARGET_OBJECTS:bittern_${room}>)
  endforeach()
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  set_target_properties(${target} PROPERTIES
    LINKER_LANGUAGE CXX
    VERSION ${PROJECT_VERSION}
    SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})  # before 1.0 a minor version may break
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "SHARED_LIBRARY")
    target_link_options(${target} PRIVATE $<$<NOT:$<BOOL:${BITTERN_SANITIZE}>>:LINKER:--no-undefined>)
    if(BITTERN_HAVE_VERSION_SCRIPT)
      # Without it templates of the C++ library would be exported too.
      target_link_options(${target} PRIVATE LINKER:--version-script=${version_script})
      set_target_properties(${target} PROPERTIES LINK_DEPENDS ${version_script})
    endif()
  endif()
endfunction()

bittern_library(bittern)
add_library(bittern::bittern ALIAS bittern)

# What a C program must name to link the static library: the C++ runtime.
set(BITTERN_RUNTIME_LIBRARIES "")
if(NOT BUILD_SHARED_LIBS)
  set(BITTERN_RUNTIME_LIBRARIES ${CMAKE_CXX_IMPLICIT_LINK_LIBRARIES})
  list(REMOVE_ITEM BITTERN_RUNTIME_LIBRARIES ${CMAKE_C_IMPLICIT_LINK_LIBRARIES})
  list(REMOVE_DUPLICATES BITTERN_RUNTIME_LIBRARIES)
endif()
list(TRANSFORM BITTERN_RUNTIME_LIBRARIES PREPEND "-l" OUTPUT_VARIABLE BITTERN_PC_LIBS)
list(JOIN BITTERN_PC_LIBS " " BITTERN_PC_LIBS)

set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/bittern)
configure_package_config_file(${PROJECT_SOURCE_DIR}/cmake/bitternConfig.cmake.in
  ${PROJECT_BINARY_DIR}/bitternConfig.cmake INSTALL_DESTINATION ${package_folder})
write_basic_package_version_file(${PROJECT_BINARY_DIR}/bitternConfigVersion.cmake COMPATIBILITY SameMinorVersion)
# Relative to the .pc file, so that an installed tree can be moved.
file(RELATIVE_PATH BITTERN_PC_TO_PREFIX /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
configure_file(${PROJECT_SOURCE_DIR}/cmake/bittern.pc.in ${PROJECT_BINARY_DIR}/bittern.pc @ONLY)

install(TARGETS bittern EXPORT bitternTargets COMPONENT library)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/bittern TYPE INCLUDE COMPONENT library)
install(EXPORT bitternTargets NAMESPACE bittern:: DESTINATION ${package_folder} COMPONENT library)
install(FILES ${PROJECT_BINARY_DIR}/bitternConfig.cmake ${PROJECT_BINARY_DIR}/bitternConfigVersion.cmake
  DESTINATION ${package_folder} COMPONENT library)
install(FILES ${PROJECT_BINARY_DIR}/bittern.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT library)
