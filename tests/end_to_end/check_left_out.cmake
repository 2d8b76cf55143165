# Configures a build without the libraries of import and of the export to ONNX: a warning for each names the package, and
# everything but the two programs is there, tests included.
file(REMOVE_RECURSE ${WORK})
execute_process(
  COMMAND ${CMAKE_COMMAND} -S ${SOURCE} -B ${WORK} -G ${GENERATOR} -DCMAKE_C_COMPILER=${C_COMPILER} -DCMAKE_CXX_COMPILER=${CXX_COMPILER}
    -DCMAKE_DISABLE_FIND_PACKAGE_HDF5=ON -DCMAKE_DISABLE_FIND_PACKAGE_ONNX=ON -DBITTERN_TRAINING=OFF -DBITTERN_REPORTS=OFF
  RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
if(NOT result EQUAL 0)
  message(FATAL_ERROR "configuring failed (${result}):\n${output}")
endif()
string(REGEX REPLACE "[ \n]+" " " said "${output}")  # CMake breaks lines
foreach(line
    "Built without bittern import: HDF5 (Debian: libhdf5-dev) was not found"
    "Built without bittern export --to onnx: libonnx or protobuf (Debian: libonnx-dev, libprotobuf-dev) was not found")
  string(FIND "${said}" "${line}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "no word of '${line}' in:\n${output}")
  endif()
endforeach()

execute_process(COMMAND ${CMAKE_COMMAND} --build ${WORK} --target help RESULT_VARIABLE result OUTPUT_VARIABLE targets)
if(NOT result EQUAL 0 OR NOT targets MATCHES "bittern_program" OR NOT targets MATCHES "bittern_end_to_end_tests")
  message(FATAL_ERROR "the build lacks what needs no HDF5 (${result}):\n${targets}")
endif()
foreach(absent bittern_import_program bittern_onnx_program bittern_convert)
  if(targets MATCHES "${absent}")
    message(FATAL_ERROR "${absent} is to be built without its library")
  endif()
endforeach()
file(REMOVE_RECURSE ${WORK})
