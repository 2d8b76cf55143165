// The part of libtorch that this room uses: tensors and autograd, without torch::nn. Only .cc files include
// it; it is precompiled.
#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/autograd.h>
#include <torch/csrc/autograd/custom_function.h>
