# Builds libbittern anew, for another machine or instruction set, and compares its logits there.
set(ENV{NODE_PATH} /usr/share/nodejs)  # Emscripten optimises with a module that only Debian's Node finds by itself
execute_process(COMMAND ${CMAKE_COMMAND} -S ${SOURCE} -B ${BUILD} -G Ninja -DCMAKE_BUILD_TYPE=Release ${CONFIGURE}
  -DBITTERN_TOOLS=OFF -DBITTERN_TRAINING=OFF -DBITTERN_GOLDEN_ONLY=ON COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${BUILD} --target bittern_golden_logits COMMAND_ERROR_IS_FATAL ANY)
file(GLOB program ${BUILD}/tests/golden/bittern_golden_logits ${BUILD}/tests/golden/bittern_golden_logits.js)
execute_process(COMMAND ${RUN} ${program} ${CLIPS} ${MODEL} ${GOLDEN} baseline COMMAND_ERROR_IS_FATAL ANY)
