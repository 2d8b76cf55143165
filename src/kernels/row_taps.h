// The input rows under the window of one row of outputs.
#pragma once

#include "kernels/view.h"
#include "kernels/window.h"

namespace bittern::kernels {

template <class T>
struct RowTaps {
  Taps taps;                  // along time
  const T* rows[kMaxKernel];  // [taps.begin, taps.end) are set; the others are not

  RowTaps(const Window& w, const View<const T>& input, int t) : taps(clip_rows(w, t, input.time)) {
    for (int i = taps.begin; i < taps.end; ++i) rows[i] = input.row(taps.origin + i);
  }
};

}  // namespace bittern::kernels
