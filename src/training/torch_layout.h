// Between our layout [time, frequency, clips, channels] and torch's own [clips, channels, time, frequency],
// for torch's convolutions and pools: what runs on other devices than the CPU.
#pragma once

#include "training/sliding_window.h"
#include "training/torch.h"

namespace bittern::training {

inline at::Tensor to_torch(const at::Tensor& x) { return x.permute({2, 3, 0, 1}).contiguous(); }
inline at::Tensor from_torch(const at::Tensor& x) { return x.permute({2, 3, 0, 1}).contiguous(); }

// x in torch's layout with `value` around it.
inline at::Tensor padded(const at::Tensor& x, const SlidingWindow& window, double value) {
  const auto time = window.time_padding();
  const auto frequency = window.frequency_padding();
  return at::constant_pad_nd(x, {frequency.before, frequency.after, time.before, time.after}, value);
}

}  // namespace bittern::training
