include(GoogleTest OPTIONAL RESULT_VARIABLE _)

# bittern_room(<room> SOURCES <file>... [DEPENDS <room>...] [LIBRARIES <target>...])
# One static library bittern_<room> per folder under src/; DEPENDS are the rooms it may include from.
function(bittern_room room)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPENDS;LIBRARIES" ${ARGN})
  add_library(bittern_${room} STATIC ${ARG_SOURCES})
  target_link_libraries(bittern_${room} PRIVATE $<BUILD_INTERFACE:bittern_settings>)
  foreach(dependency IN LISTS ARG_DEPENDS)
    target_link_libraries(bittern_${room} PUBLIC bittern_${dependency})
  endforeach()
  target_link_libraries(bittern_${room} PUBLIC ${ARG_LIBRARIES})
  # So that --gc-sections leaves out of a program what it does not call.
  target_compile_options(bittern_${room} PRIVATE -ffunction-sections -fdata-sections)
  if(BITTERN_LINT)
    set_target_properties(bittern_${room} PROPERTIES CXX_CLANG_TIDY "clang-tidy;--quiet")
  endif()
endfunction()

# bittern_small(<room> [<file>...])
# A room that plans, parses and prints: its code runs once and is kept small, but for these files.
function(bittern_small room)
  get_target_property(sources bittern_${room} SOURCES)
  list(FILTER sources INCLUDE REGEX "\\.cc$")
  if(ARGN)
    list(REMOVE_ITEM sources ${ARGN})
  endif()
  set_property(SOURCE ${sources} APPEND PROPERTY COMPILE_OPTIONS $<$<CONFIG:Release>:-Os>)
endfunction()

# bittern_test(<room> SOURCES <file>... [LIBRARIES <target>...])
# One GoogleTest program bittern_<room>_tests per folder under tests/.
function(bittern_test room)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(bittern_${room}_tests ${ARG_SOURCES})
  target_include_directories(bittern_${room}_tests PRIVATE ${PROJECT_SOURCE_DIR}/tests)
  target_compile_definitions(bittern_${room}_tests PRIVATE BITTERN_SOURCE_DIR="${PROJECT_SOURCE_DIR}")
  target_link_libraries(bittern_${room}_tests PRIVATE bittern_settings bittern_${room} ${ARG_LIBRARIES} GTest::gtest_main)
  gtest_discover_tests(bittern_${room}_tests TEST_PREFIX "${room}." DISCOVERY_TIMEOUT 60)
endfunction()

# bittern_bench(<room> SOURCES <file>... [LIBRARIES <target>...])
# One Google Benchmark program bittern_<room>_bench per folder under bench/.
function(bittern_bench room)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(bittern_${room}_bench ${ARG_SOURCES})
  target_link_libraries(bittern_${room}_bench PRIVATE bittern_settings bittern_${room} ${ARG_LIBRARIES} benchmark::benchmark_main)
endfunction()
