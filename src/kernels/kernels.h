// The kernels of one instruction set: `kernels(best_isa()).binary_conv2d(...)`.
//
// Every kernel is a plain function: views and pointers in, no allocation, no state, no errors. Shapes are the
// caller's promise (the runtime checks them once, when it lowers a model). The result has the same bits on
// every instruction set and for every cut of the output rows into calls.
#pragma once

#include "core/isa.h"
#include "kernels/binary_conv2d.h"
#include "kernels/conv2d.h"
#include "kernels/conv2d_int8.h"
#include "kernels/dense.h"
#include "kernels/elementwise.h"
#include "kernels/mean.h"
#include "kernels/pack_signs.h"
#include "kernels/pool.h"

namespace bittern::kernels {

struct KernelTable {
#define BITTERN_KERNEL(name, Type) Type* name = nullptr;
#include "kernels/kernels.inc"
#undef BITTERN_KERNEL
};

// The table for `isa`, or for the best one below it that this library was compiled for. Only call kernels of
// an `isa` that available_isas() lists.
const KernelTable& kernels(Isa isa) noexcept;

}  // namespace bittern::kernels
