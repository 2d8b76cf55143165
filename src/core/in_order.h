// Work on several threads, results in order. Not for machines without threads (no file of libbittern but
// runtime/batch.cc includes it).
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "core/status.h"

namespace bittern {

// The queue between workers and the caller: a ring of results, of which the caller takes the oldest. Workers
// begin with nothing that has no place in it yet, so it stays small whatever the number of pieces.
template <class Result>
class OrderedResults {
 public:
  OrderedResults(std::size_t count, std::size_t ahead) : count_(count), ring_(std::min(count, ahead)) {}

  // The next piece to work on; none: no more is wanted.
  std::optional<std::size_t> claim() {
    std::unique_lock lock(mutex_);
    room_.wait(lock, [&] { return stopped_ || claimed_ == count_ || claimed_ < taken_ + ring_.size(); });
    if (stopped_ || claimed_ == count_) return std::nullopt;
    return claimed_++;
  }
  void put(std::size_t piece, Result result) {
    const std::lock_guard lock(mutex_);
    at(piece).emplace(std::move(result));
    ++put_;
    if (piece == taken_ || piled_up()) ready_.notify_one();
  }
  // Waits for the oldest result that was not taken yet, and takes those behind it along. They are let pile up
  // for a moment: to wake up for each would take the time of several. Throws what a worker threw.
  std::deque<Result> take() {
    std::unique_lock lock(mutex_);
    ready_.wait(lock, [&] { return at(taken_).has_value() || thrown_; });
    ready_.wait_for(lock, kPileUp, [&] { return thrown_ || piled_up(); });
    if (!at(taken_)) std::rethrow_exception(thrown_);
    std::deque<Result> results;
    for (; taken_ < claimed_ && at(taken_); ++taken_) {
      results.push_back(std::move(*at(taken_)));
      at(taken_).reset();
    }
    room_.notify_all();
    return results;
  }
  void stop(std::exception_ptr thrown = nullptr) {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    if (thrown && !thrown_) thrown_ = std::move(thrown);
    room_.notify_all();
    ready_.notify_one();
  }

 private:
  static constexpr std::chrono::milliseconds kPileUp{5};

  // No more come, or workers will soon lack room.
  bool piled_up() const { return put_ == count_ || put_ - taken_ > ring_.size() / 2; }
  std::optional<Result>& at(std::size_t piece) { return ring_[piece % ring_.size()]; }

  std::mutex mutex_;
  std::condition_variable room_;   // for another piece
  std::condition_variable ready_;  // the oldest result
  const std::size_t count_;
  std::vector<std::optional<Result>> ring_;
  std::size_t claimed_ = 0;
  std::size_t put_ = 0;
  std::size_t taken_ = 0;
  bool stopped_ = false;
  std::exception_ptr thrown_;
};

// Calls work(thread, piece) for every piece in [0, count), on `threads` threads numbered from 0, and
// take(piece, result) with what it returned on the calling thread, in the order of pieces. No piece begins
// more than 64 per thread before the one to be taken next. With one thread all happens on the calling one. An
// error from `take` ends the work and is returned, once pieces that were begun are done; what `work` or
// `take` throws leaves the same way.
template <class Work, class Take>
Status in_order(int threads, std::size_t count, const Work& work, const Take& take) {
  const auto wanted = std::min(static_cast<std::size_t>(std::max(threads, 1)), count);
  if (wanted <= 1) {
    for (std::size_t piece = 0; piece < count; ++piece)
      BITTERN_RETURN_IF_ERROR(take(piece, work(std::size_t{0}, piece)));
    return {};
  }
  constexpr std::size_t kAhead = 32;  // as many again may have been taken from the ring, not yet by `take`
  OrderedResults<decltype(work(std::size_t{0}, std::size_t{0}))> results(count, wanted * kAhead);
  // Stops the workers however this is left, then waits for them.
  struct Workers {
    decltype(results)& of;
    std::vector<std::thread> threads;
    ~Workers() {
      of.stop();
      for (std::thread& thread : threads) thread.join();
    }
  } workers{results, {}};
  workers.threads.reserve(wanted);
  for (std::size_t thread = 0; thread < wanted; ++thread) {
    workers.threads.emplace_back([&results, &work, thread] {
      try {
        while (const auto piece = results.claim()) results.put(*piece, work(thread, *piece));
      } catch (...) {
        results.stop(std::current_exception());
      }
    });
  }
  for (std::size_t piece = 0; piece < count;) {
    for (auto& result : results.take()) BITTERN_RETURN_IF_ERROR(take(piece++, std::move(result)));
  }
  return {};
}

}  // namespace bittern
