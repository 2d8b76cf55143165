// Loops over floats that are worth wider vectors than the build's baseline has.
#pragma once

// Before a function: it is compiled for several instruction sets and the best that the processor has is
// chosen when the program starts. All give the same bits: nothing is fused or reordered in any of them. Only
// what is inlined into the function counts, so not the body of a lambda handed on to threads.
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define BITTERN_VECTORISED __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define BITTERN_VECTORISED
#endif
