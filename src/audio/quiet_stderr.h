// Keeps a library that talks on standard error silent for a moment.
#pragma once

#include <mutex>

namespace bittern::audio {

// While one lives, what anything in the process writes to standard error is dropped, so it lives only around
// libmpg123, which reports odd MP3 files there and leaves libsndfile's users no switch. One at a time.
class QuietStderr {
 public:
  QuietStderr();
  ~QuietStderr();
  QuietStderr(const QuietStderr&) = delete;
  QuietStderr& operator=(const QuietStderr&) = delete;

 private:
  static std::mutex& mutex();
  std::lock_guard<std::mutex> lock_;
  int saved_ = -1;  // where standard error went before; -1: it was left alone
};

}  // namespace bittern::audio
