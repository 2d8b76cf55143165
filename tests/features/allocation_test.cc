// compute() and push() take no memory: this program counts every call of operator new.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <new>

#include "features/log_mel.h"
#include "features/signals.h"

// NOLINTBEGIN(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory,misc-new-delete-overloads)
namespace {

std::atomic<int> allocations = 0;

void* counted(std::size_t bytes, std::size_t alignment) {
  ++allocations;
  return std::aligned_alloc(alignment, (bytes + alignment) / alignment * alignment);
}

void* or_throw(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(std::size_t bytes) { return or_throw(counted(bytes, alignof(std::max_align_t))); }
void* operator new(std::size_t bytes, std::align_val_t alignment) {
  return or_throw(counted(bytes, static_cast<std::size_t>(alignment)));
}
void* operator new(std::size_t bytes, const std::nothrow_t&) noexcept {
  return counted(bytes, alignof(std::max_align_t));
}
void* operator new(std::size_t bytes, std::align_val_t alignment, const std::nothrow_t&) noexcept {
  return counted(bytes, static_cast<std::size_t>(alignment));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::size_t, std::align_val_t) noexcept { std::free(memory); }
// NOLINTEND(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory,misc-new-delete-overloads)

namespace bittern::features {
namespace {

TEST(Allocation, OnlyCreateTakesMemory) {
  const auto samples = white_noise(50'000, 1.0F, 17);
  std::vector<float> output(std::size_t{400} * 64);
  const int before = allocations;
  auto log_mel = LogMel::create({});
  ASSERT_TRUE(log_mel.ok());
  EXPECT_GT(allocations, before);  // the counting works
  const int made = allocations;
  for (const std::size_t length : {0, 399, 400, 16000, 50'000}) {
    log_mel->compute(std::span(samples).first(length), output);
    log_mel->push(std::span(samples).first(length), output);
    log_mel->reset();
  }
  EXPECT_EQ(allocations, made);
}

}  // namespace
}  // namespace bittern::features
