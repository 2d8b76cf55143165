// One line on standard error that says how far a long piece of work is.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace bittern::cli {

// Draws only where standard error is a terminal and `quiet` is false, at most ten times a second, and takes
// its line away at the end. Not thread-safe.
class Progress {
 public:
  // `what` stands before the bar, `unit` behind the rate: "evaluating [=====>    ] 50 %  120 clips/s  0:03".
  Progress(std::string what, std::string unit, bool quiet);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();

  // `note` is shown at the end of the line. A `done` smaller than before starts anew.
  void update(std::size_t done, std::size_t total, std::string_view note = {});
  // Removes the line, so that something else can be printed.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;
  std::string what_;
  std::string unit_;
  bool visible_;
  bool drawn_ = false;
  std::size_t last_done_ = 0;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_drawn_;
};

// The line without control sequences, for `seconds` of work so far.
std::string progress_line(std::string_view what, std::string_view unit, std::size_t done, std::size_t total,
                          double seconds);

}  // namespace bittern::cli
