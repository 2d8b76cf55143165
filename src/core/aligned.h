// Memory aligned for the widest vectors and for the model file's blobs.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>
#include <type_traits>

namespace bittern {

inline constexpr std::size_t kAlignment = 64;  // bytes: a cache line, a 512-bit vector

constexpr std::size_t align_up(std::size_t bytes, std::size_t alignment = kAlignment) {
  return (bytes + alignment - 1) / alignment * alignment;
}

inline bool is_aligned(const void* pointer, std::size_t alignment = kAlignment) {
  return reinterpret_cast<std::uintptr_t>(pointer) % alignment == 0;
}

namespace detail {
void* allocate_aligned(std::size_t bytes) noexcept;  // nullptr where memory is short
void free_aligned(void* memory) noexcept;
struct FreeAligned {
  void operator()(void* memory) const noexcept { free_aligned(memory); }
};
}  // namespace detail

// A fixed number of zeroed T, 64-byte aligned. Empty where memory was short: check size().
template <class T>
class AlignedBuffer {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(std::size_t count)
      : memory_(count > SIZE_MAX / sizeof(T) - kAlignment
                    ? nullptr
                    : static_cast<T*>(detail::allocate_aligned(count * sizeof(T)))),
        size_(memory_ ? count : 0) {}

  T* data() { return memory_.get(); }
  const T* data() const { return memory_.get(); }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) { return memory_.get()[i]; }
  const T& operator[](std::size_t i) const { return memory_.get()[i]; }
  std::span<T> span() { return {data(), size_}; }
  std::span<const T> span() const { return {data(), size_}; }

 private:
  std::unique_ptr<T[], detail::FreeAligned> memory_;
  std::size_t size_ = 0;
};

}  // namespace bittern
