// Charts as pictures that need no script.
#pragma once

#include <memory>
#include <string>

#include "core/status.h"
#include "report/chart.h"

namespace bittern::report {

// The charting library in an interpreter. Making one takes a fifth of a second; one thread at a time.
class SvgRenderer {
 public:
  static Expected<SvgRenderer> create();
  SvgRenderer(SvgRenderer&&) noexcept;
  SvgRenderer& operator=(SvgRenderer&&) noexcept;
  ~SvgRenderer();

  // The chart `width` pixels wide, on nothing. The same chart gives the same text.
  Expected<std::string> render(const Chart& chart, int width = 760);

 private:
  struct Interpreter;
  explicit SvgRenderer(std::unique_ptr<Interpreter> interpreter);

  std::unique_ptr<Interpreter> interpreter_;
};

}  // namespace bittern::report
