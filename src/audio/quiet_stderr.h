// Keeps a library that talks on standard error silent for a moment.
#pragma once

namespace bittern::audio {

// While one lives, on any thread, what anything in the process writes to standard error is dropped, so it
// lives only around libmpg123, which reports odd MP3 files there and leaves libsndfile's users no switch.
class QuietStderr {
 public:
  QuietStderr();
  ~QuietStderr();
  QuietStderr(const QuietStderr&) = delete;
  QuietStderr& operator=(const QuietStderr&) = delete;
};

}  // namespace bittern::audio
