// One line on standard error that says how far a long piece of work is.
#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace bittern::cli {

// How fast work goes, from the first report on: what was done before it (a resumed training's steps, the
// reading of the data) is no part of the rate.
class Rate {
 public:
  using Clock = std::chrono::steady_clock;
  // Units per second at `now`; 0 where it cannot be told yet. A `done` smaller than before starts anew.
  double update(std::size_t done, Clock::time_point now);

 private:
  bool started_ = false;
  std::size_t first_done_ = 0;
  std::size_t last_done_ = 0;
  Clock::time_point start_;
};

// Draws only where standard error is a terminal and `quiet` is false, at most ten times a second, and takes
// its line away at the end. Not thread-safe.
class Progress {
 public:
  // `what` stands before the bar, `unit` behind the rate: "evaluating [=====>    ] 50 %  120 clips/s  0:03".
  Progress(std::string what, std::string unit, bool quiet);
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  ~Progress();

  // `note` is shown at the end of the line.
  void update(std::size_t done, std::size_t total, std::string_view note = {});
  // Removes the line, so that something else can be printed.
  void clear();

 private:
  std::string what_;
  std::string unit_;
  bool visible_;
  bool drawn_ = false;
  Rate rate_;
  Rate::Clock::time_point last_drawn_;
};

// For work that reports how far it is and ends when told false: draws it, and is false once Ctrl-C was
// pressed. `progress` must outlive it.
std::function<bool(std::size_t done, std::size_t total)> follow(Progress& progress);

// The line without control sequences; `rate` in units per second, 0 where not known yet.
std::string progress_line(std::string_view what, std::string_view unit, std::size_t done, std::size_t total,
                          double rate);

}  // namespace bittern::cli
