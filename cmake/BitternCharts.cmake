# What draws the charts of reports: Duktape from the system, and from npm, once, what src/report/web says with its
# checksums. BITTERN_REPORTS is switched off where one of them cannot be had, for everything else does without.
pkg_check_modules(DUKTAPE QUIET IMPORTED_TARGET GLOBAL duktape)
set(web ${CMAKE_CURRENT_SOURCE_DIR}/report/web)
set(fetched ${CMAKE_CURRENT_BINARY_DIR}/report/web)
set(BITTERN_CHARTING_LIBRARY ${fetched}/node_modules/echarts/dist/echarts.common.min.js)
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${web}/package-lock.json)

if(NOT DUKTAPE_FOUND)
  set(missing "duktape (Debian: duktape-dev) was not found")
elseif(NOT EXISTS ${BITTERN_CHARTING_LIBRARY} OR ${web}/package-lock.json IS_NEWER_THAN ${BITTERN_CHARTING_LIBRARY})
  find_program(BITTERN_NPM npm)
  if(BITTERN_NPM)
    file(COPY ${web}/package.json ${web}/package-lock.json DESTINATION ${fetched})
    message(STATUS "Fetching the charting library")
    execute_process(
      COMMAND ${BITTERN_NPM} ci --ignore-scripts --no-audit --no-fund --loglevel=error
      WORKING_DIRECTORY ${fetched}
      RESULT_VARIABLE failed ERROR_VARIABLE error OUTPUT_QUIET)
    if(failed)
      set(missing "npm ci in src/report/web failed: ${error}")
    else()
      file(TOUCH ${BITTERN_CHARTING_LIBRARY})  # archives bring files as old as their packing
    endif()
  else()
    set(missing "npm was not found")
  endif()
endif()
if(missing)
  message(WARNING "Built without HTML reports: ${missing}")
  set(BITTERN_REPORTS OFF)
endif()
