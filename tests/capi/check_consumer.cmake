# Installs the library into an empty folder, builds a project outside against it in every way that we offer, and compares
# what the programs answer with what the runtime itself answers.
file(REMOVE_RECURSE ${WORK})
file(MAKE_DIRECTORY ${WORK})
set(ENV{LC_ALL} C)

function(run)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    list(JOIN ARGN " " command)
    message(FATAL_ERROR "${command}\nfailed (${result}):\n${output}")
  endif()
endfunction()

run(${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/installed --component library)
# A moved copy must work as well.
file(RENAME ${WORK}/installed ${WORK}/install)
file(GLOB_RECURSE headers RELATIVE ${WORK}/install/include ${WORK}/install/include/*)
if(NOT headers STREQUAL "bittern/bittern.h;bittern/bittern.hpp")
  message(FATAL_ERROR "installed headers: ${headers}")
endif()

set(model ${WORK}/model.bittern)
set(samples ${WORK}/samples.f32)
execute_process(COMMAND ${EXPECTED} ${model} ${samples} OUTPUT_VARIABLE expected COMMAND_ERROR_IS_FATAL ANY)
if(NOT expected MATCHES "label-[0-9]+ at exit")
  message(FATAL_ERROR "no expected answer: ${expected}")
endif()
function(check_answer program)
  execute_process(COMMAND ${program} ${model} ${samples} OUTPUT_VARIABLE answer ERROR_VARIABLE error
    RESULT_VARIABLE result)
  if(NOT result EQUAL 0 OR NOT answer STREQUAL expected)
    message(FATAL_ERROR "${program} (${result}) says\n${answer}${error}\nexpected\n${expected}")
  endif()
endfunction()

set(ENV{LD_LIBRARY_PATH} ${WORK}/install/${LIBDIR})
string(REPLACE ";" " " flags_text "${FLAGS}")
run(${CMAKE_COMMAND} -S ${SOURCE} -B ${WORK}/build -G ${GENERATOR} -DCMAKE_PREFIX_PATH=${WORK}/install
  -DCMAKE_C_COMPILER=${C_COMPILER} -DCMAKE_C_FLAGS=${flags_text} -DBITTERN_WANTED=${VERSION})
run(${CMAKE_COMMAND} --build ${WORK}/build)
check_answer(${WORK}/build/consumer)

if(PKG_CONFIG)
  set(ENV{PKG_CONFIG_PATH} ${WORK}/install/${LIBDIR}/pkgconfig)
  execute_process(COMMAND ${PKG_CONFIG} --modversion bittern OUTPUT_VARIABLE version
    OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  if(NOT version STREQUAL VERSION)
    message(FATAL_ERROR "pkg-config says version ${version}, not ${VERSION}")
  endif()
  execute_process(COMMAND ${PKG_CONFIG} --cflags --libs bittern OUTPUT_VARIABLE package
    OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  separate_arguments(package UNIX_COMMAND "${package}")
  run(${C_COMPILER} -std=c11 -Wall -Wextra -Wpedantic -Werror ${FLAGS} ${SOURCE}/consumer.c ${package}
    -o ${WORK}/consumer_c)
  check_answer(${WORK}/consumer_c)
  run(${CXX_COMPILER} -std=c++17 -Wall -Wextra -Wpedantic -Werror ${FLAGS} ${SOURCE}/consumer.cc ${package}
    -o ${WORK}/consumer_cc)
  check_answer(${WORK}/consumer_cc)
endif()
