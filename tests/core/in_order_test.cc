#include "core/in_order.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <set>
#include <stdexcept>
#include <string>

namespace bittern {
namespace {

TEST(InOrder, TakesEveryResultInOrderOnTheCallingThread) {
  for (const int threads : {1, 2, 5, 64}) {
    for (const std::size_t count : {0U, 1U, 3U, 1000U}) {
      std::vector<std::size_t> taken;
      const auto caller = std::this_thread::get_id();
      const auto work = [](std::size_t, std::size_t piece) {
        if (piece % 7 == 0) std::this_thread::sleep_for(std::chrono::microseconds(50));
        return std::to_string(piece);
      };
      const auto take = [&](std::size_t piece, const std::string& result) -> Status {
        EXPECT_EQ(std::this_thread::get_id(), caller);
        EXPECT_EQ(result, std::to_string(piece));
        taken.push_back(piece);
        return {};
      };
      ASSERT_TRUE(in_order(threads, count, work, take).ok());
      ASSERT_EQ(taken.size(), count);
      for (std::size_t i = 0; i < count; ++i) EXPECT_EQ(taken[i], i);
    }
  }
}

TEST(InOrder, WorksOnTheThreadsThatItSays) {
  std::mutex mutex;
  std::set<std::size_t> numbers;
  std::set<std::thread::id> ids;
  const auto work = [&](std::size_t thread, std::size_t) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const std::lock_guard lock(mutex);
    numbers.insert(thread);
    ids.insert(std::this_thread::get_id());
    return 0;
  };
  const auto take = [](std::size_t, int) { return Status(); };
  ASSERT_TRUE(in_order(3, 100, work, take).ok());
  EXPECT_EQ(numbers, (std::set<std::size_t>{0, 1, 2}));
  EXPECT_EQ(ids.size(), 3U);
  EXPECT_FALSE(ids.contains(std::this_thread::get_id()));
  ids.clear();
  ASSERT_TRUE(in_order(1, 3, work, take).ok());
  EXPECT_EQ(ids, (std::set<std::thread::id>{std::this_thread::get_id()}));
}

TEST(InOrder, BeginsNothingFarAhead) {
  constexpr std::size_t kThreads = 2, kAhead = 64 * kThreads, kCount = 1000;
  std::atomic<std::size_t> begun = 0;
  const auto work = [&](std::size_t, std::size_t piece) {
    if (piece == 0) std::this_thread::sleep_for(std::chrono::milliseconds(100));  // the others run ahead
    ++begun;
    return piece;
  };
  std::size_t most = 0;
  const auto take = [&](std::size_t piece, std::size_t) {
    if (piece == 0) most = begun;
    return Status();
  };
  ASSERT_TRUE(in_order(kThreads, kCount, work, take).ok());
  EXPECT_GT(most, 1U);
  EXPECT_LE(most, kAhead + 1);
  EXPECT_EQ(begun, kCount);
}

TEST(InOrder, AnErrorOfTheTakerEndsTheWork) {
  for (const int threads : {1, 3}) {
    std::atomic<std::size_t> begun = 0;
    const auto work = [&](std::size_t, std::size_t piece) {
      ++begun;
      return piece;
    };
    const auto take = [](std::size_t piece, std::size_t) -> Status {
      return piece == 5 ? Status(invalid_argument("enough")) : Status();
    };
    const Status status = in_order(threads, 100000, work, take);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().message, "enough");
    EXPECT_LT(begun, 1000U);
  }
}

TEST(InOrder, WhatWorkThrowsReachesTheCaller) {
  for (const int threads : {1, 3}) {
    const auto work = [](std::size_t, std::size_t piece) {
      if (piece == 20) throw std::runtime_error("broken");
      return piece;
    };
    EXPECT_THROW(
        static_cast<void>(in_order(threads, 1000, work, [](std::size_t, std::size_t) { return Status(); })),
        std::runtime_error);
  }
}

}  // namespace
}  // namespace bittern
