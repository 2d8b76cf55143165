# Builds libbittern for another machine and compares its logits there, in an emulator.
execute_process(COMMAND ${CMAKE_COMMAND} -S ${SOURCE} -B ${BUILD} -G Ninja -DCMAKE_BUILD_TYPE=Release
  -DCMAKE_TOOLCHAIN_FILE=${TOOLCHAIN} -DBITTERN_TOOLS=OFF -DBITTERN_TRAINING=OFF COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${CMAKE_COMMAND} --build ${BUILD} --target bittern_golden_logits COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND qemu-${MACHINE} -L /usr/${MACHINE}-linux-gnu ${BUILD}/tests/golden/bittern_golden_logits ${CLIPS} ${MODEL} ${GOLDEN}
  COMMAND_ERROR_IS_FATAL ANY)
