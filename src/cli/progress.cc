#include "cli/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>

#include "cli/interrupt.h"

namespace bittern::cli {
namespace {

constexpr std::size_t kBarWidth = 24;

std::string duration(double seconds) {
  const auto whole = std::int64_t{std::llround(std::min(seconds, 1e9))};
  const std::int64_t hours = whole / 3600;
  const std::int64_t minutes = whole / 60 % 60;
  if (hours > 0) return fmt::format("{}:{:02}:{:02}", hours, minutes, whole % 60);
  return fmt::format("{}:{:02}", minutes, whole % 60);
}

}  // namespace

std::function<bool(std::size_t, std::size_t)> follow(Progress& progress) {
  return [&progress](std::size_t done, std::size_t total) {
    progress.update(done, total);
    return !interrupted();
  };
}

std::string progress_line(std::string_view what, std::string_view unit, std::size_t done, std::size_t total,
                          double rate) {
  const double share =
      total == 0 ? 1.0 : static_cast<double>(std::min(done, total)) / static_cast<double>(total);
  const auto filled = static_cast<std::size_t>(share * static_cast<double>(kBarWidth));
  std::string bar(filled, '=');
  bar.resize(kBarWidth, ' ');
  if (filled < kBarWidth) bar[filled] = '>';
  std::string line = fmt::format("{} [{}] {:3.0f} %", what, bar, share * 100);
  if (rate > 0) {
    const double left = static_cast<double>(total - std::min(done, total)) / rate;
    line += fmt::format("  {:.{}f} {}/s  {} left", rate, rate < 10 ? 1 : 0, unit, duration(left));
  }
  return line;
}

double Rate::update(std::size_t done, Clock::time_point now) {
  if (!started_ || done < last_done_) {
    started_ = true;
    first_done_ = done;
    start_ = now;
  }
  last_done_ = done;
  const double seconds = std::chrono::duration<double>(now - start_).count();
  return seconds > 0 ? static_cast<double>(done - first_done_) / seconds : 0;
}

Progress::Progress(std::string what, std::string unit, bool quiet)
    : what_(std::move(what)), unit_(std::move(unit)), visible_(!quiet && ::isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() { clear(); }

void Progress::update(std::size_t done, std::size_t total, std::string_view note) {
  if (!visible_) return;
  const auto now = Rate::Clock::now();
  const double rate = rate_.update(done, now);
  if (drawn_ && done < total && now - last_drawn_ < std::chrono::milliseconds(100)) return;
  last_drawn_ = now;
  drawn_ = true;
  std::string line = progress_line(what_, unit_, done, total, rate);
  if (!note.empty()) line += fmt::format("  {}", note);
  line = "\r\033[K" + line;
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fflush(stderr);
}

void Progress::clear() {
  if (!drawn_) return;
  std::fputs("\r\033[K", stderr);
  std::fflush(stderr);
  drawn_ = false;
}

}  // namespace bittern::cli
