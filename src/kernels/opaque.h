// What a compiler must not reason about.
#pragma once

namespace bittern::kernels {

// Makes `value` one that the compiler does not know, in a register: it will not work it out anew at each use,
// nor load ahead of a loop what lies at it.
template <class T>
inline void opaque(T& value) {
  asm("" : "+r"(value));
}

}  // namespace bittern::kernels
