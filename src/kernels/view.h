// Where a tensor lies in memory: a place that may be part of something larger.
//
// A View is [time, frequency, channels], channels next to each other:
//
//      element (t, f, c) = data[slot(t) * row_stride + f * pixel_stride + c]
//      slot(t) = t, or (first + t) % ring where ring > 0
//
// - A concat is a place, not a copy: `channels` of a tensor `pixel_stride` wide (see channels_of()).
// - A buffer may be a ring in time: `ring` rows of memory of which row 0 lies in slot `first`. Rows are
//   logical everywhere: row 0 is where padding ends, row time - 1 is the last. Only rows that a call reads or
//   writes need be in the ring.
// - 1-bit activations are View<std::uint64_t>: `channels` and the strides then count words (core/bits.h), not
//   bits.
//
// Strides are in elements of T. A view owns nothing.
#pragma once

#include <cstddef>
#include <type_traits>

namespace bittern::kernels {

template <class T>
struct View {
  T* data = nullptr;
  int time = 0;
  int frequency = 0;
  int channels = 0;
  std::ptrdiff_t pixel_stride = 0;
  std::ptrdiff_t row_stride = 0;
  int ring = 0;   // rows of memory; 0: not a ring
  int first = 0;  // slot of row 0, in [0, ring)

  T* row(int t) const {
    const int slot = ring == 0 ? t : (first + t) % ring;
    return data + slot * row_stride;
  }
  T* pixel(int t, int f) const { return row(t) + f * pixel_stride; }

  explicit operator bool() const { return data != nullptr; }
  operator View<const T>() const  // as T* becomes const T*
      requires(!std::is_const_v<T>) {
    return {data, time, frequency, channels, pixel_stride, row_stride, ring, first};
  }
};

// A tensor that fills its memory without gaps.
template <class T>
View<T> dense_view(T* data, int time, int frequency, int channels) {
  return {data, time, frequency, channels, channels, std::ptrdiff_t{frequency} * channels};
}

// The same for a ring of `ring` rows whose row 0 lies in slot `first`.
template <class T>
View<T> ring_view(T* data, int time, int frequency, int channels, int ring, int first) {
  return {data, time, frequency, channels, channels, std::ptrdiff_t{frequency} * channels, ring, first};
}

// Channels [begin, begin + count) of `view`.
template <class T>
View<T> channels_of(View<T> view, int begin, int count) {
  view.data += begin;
  view.channels = count;
  return view;
}

}  // namespace bittern::kernels
