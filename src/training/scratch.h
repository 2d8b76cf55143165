// Memory for the length of a computation.
#pragma once

#include <ATen/Functions.h>
#include <ATen/core/Tensor.h>

#include <cstdint>

namespace bittern::training {

// Uninitialised, aligned; throws c10::Error where memory is short.
template <class T>
class Scratch {
 public:
  Scratch() = default;
  explicit Scratch(std::int64_t count)
      : memory_(at::empty({count * static_cast<std::int64_t>(sizeof(T))}, at::kByte)) {}
  T* data() const {
    return memory_.defined() ? reinterpret_cast<T*>(memory_.data_ptr<std::uint8_t>()) : nullptr;
  }

 private:
  at::Tensor memory_;
};

}  // namespace bittern::training
