#include "training/batch_norm_passes.h"

#include <algorithm>
#include <utility>

#include "training/torch.h"
#include "training/vectorised.h"

namespace bittern::training {
namespace {

// Sums are taken per chunk of rows and the chunks added in order, so that the bits do not depend on the
// number of threads.
constexpr std::int64_t kChunkRows = 512;
constexpr std::int64_t kBlockRows = 64;  // centred sums of squares are taken while a block is in the cache

std::int64_t chunks_of(std::int64_t rows) { return (rows + kChunkRows - 1) / kChunkRows; }

// Chan, Golub, LeVeque 1979. share = b / n, both = a * b / n for a values merged with b more, n in all.
BITTERN_VECTORISED void merge_each(const double* __restrict mean, const double* __restrict squares,
                                   std::size_t channels, double share, double both,
                                   double* __restrict all_mean, double* __restrict all_squares) {
  for (std::size_t c = 0; c < channels; ++c) {
    const double difference = mean[c] - all_mean[c];
    all_mean[c] += difference * share;
    all_squares[c] += squares[c] + difference * difference * both;
  }
}

void merge(Moments& into, std::int64_t count, const double* mean, const double* squares) {
  const auto a = static_cast<double>(into.count);
  const auto b = static_cast<double>(count);
  merge_each(mean, squares, into.mean.size(), b / (a + b), a * b / (a + b), into.mean.data(),
             into.squares.data());
  into.count += count;
}

BITTERN_VECTORISED void sum_rows(const float* __restrict x, std::int64_t rows, std::int64_t channels,
                                 float floor, float* __restrict sum) {
  std::fill_n(sum, channels, 0.0F);
  for (std::int64_t r = 0; r < rows; ++r, x += channels)
    for (std::int64_t c = 0; c < channels; ++c) sum[c] += std::max(x[c], floor);
}

BITTERN_VECTORISED void sum_squares(const float* __restrict x, std::int64_t rows, std::int64_t channels,
                                    float floor, const float* __restrict mean, float* __restrict sum) {
  std::fill_n(sum, channels, 0.0F);
  for (std::int64_t r = 0; r < rows; ++r, x += channels) {
    for (std::int64_t c = 0; c < channels; ++c) {
      const float centred = std::max(x[c], floor) - mean[c];
      sum[c] += centred * centred;
    }
  }
}

Moments chunk_moments(const float* x, std::int64_t rows, std::int64_t channels, float floor) {
  const auto width = static_cast<std::size_t>(channels);
  Moments moments{0, std::vector<double>(width), std::vector<double>(width)};
  std::vector<float> mean(width);
  std::vector<float> squares(width);
  std::vector<double> block_mean(width);
  std::vector<double> block_squares(width);
  for (std::int64_t first = 0; first < rows; first += kBlockRows) {
    const std::int64_t count = std::min(kBlockRows, rows - first);
    const float* block = x + first * channels;
    sum_rows(block, count, channels, floor, mean.data());
    for (float& value : mean) value /= static_cast<float>(count);
    sum_squares(block, count, channels, floor, mean.data(), squares.data());
    std::copy(mean.begin(), mean.end(), block_mean.begin());
    std::copy(squares.begin(), squares.end(), block_squares.begin());
    merge(moments, count, block_mean.data(), block_squares.data());
  }
  return moments;
}

}  // namespace

Moments moments_of(const float* x, std::int64_t rows, std::int64_t channels, float floor) {
  std::vector<Moments> chunks(static_cast<std::size_t>(chunks_of(rows)));
  at::parallel_for(0, chunks_of(rows), 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t first = i * kChunkRows;
      chunks[static_cast<std::size_t>(i)] =
          chunk_moments(x + first * channels, std::min(kChunkRows, rows - first), channels, floor);
    }
  });
  Moments all = std::move(chunks.front());
  for (std::size_t i = 1; i < chunks.size(); ++i)
    merge(all, chunks[i].count, chunks[i].mean.data(), chunks[i].squares.data());
  return all;
}

namespace {

BITTERN_VECTORISED void scale_some(const float* __restrict x, float* __restrict y, std::int64_t rows,
                                   std::int64_t channels, float floor, const float* __restrict scale,
                                   const float* __restrict bias) {
  for (std::int64_t r = 0; r < rows; ++r, x += channels, y += channels)
    for (std::int64_t c = 0; c < channels; ++c) y[c] = std::max(x[c], floor) * scale[c] + bias[c];
}

}  // namespace

void scale_rows(const float* x, float* y, std::int64_t rows, std::int64_t channels, float floor,
                const float* scale, const float* bias) {
  at::parallel_for(0, rows, kChunkRows, [&](std::int64_t begin, std::int64_t end) {
    scale_some(x + begin * channels, y + begin * channels, end - begin, channels, floor, scale, bias);
  });
}

namespace {

BITTERN_VECTORISED void gradient_some(const float* __restrict x, const float* __restrict dy,
                                      float* __restrict dx, std::int64_t rows, std::int64_t channels,
                                      float floor, const float* __restrict on_gradient,
                                      const float* __restrict on_value, const float* __restrict constant) {
  for (std::int64_t r = 0; r < rows; ++r, x += channels, dy += channels, dx += channels) {
    for (std::int64_t c = 0; c < channels; ++c) {
      const float full = dy[c] * on_gradient[c] + x[c] * on_value[c] + constant[c];
      dx[c] = x[c] > floor ? full : 0.0F;
    }
  }
}

}  // namespace

void gradient_rows(const float* x, const float* dy, float* dx, std::int64_t rows, std::int64_t channels,
                   float floor, const float* on_gradient, const float* on_value, const float* constant) {
  at::parallel_for(0, rows, kChunkRows, [&](std::int64_t begin, std::int64_t end) {
    gradient_some(x + begin * channels, dy + begin * channels, dx + begin * channels, end - begin, channels,
                  floor, on_gradient, on_value, constant);
  });
}

namespace {

BITTERN_VECTORISED void add_gradient_sums(const float* __restrict x, const float* __restrict dy,
                                          std::int64_t rows, std::int64_t channels, float floor,
                                          const float* __restrict mean, float* __restrict sum,
                                          float* __restrict dot) {
  for (std::int64_t r = 0; r < rows; ++r, x += channels, dy += channels) {
    for (std::int64_t c = 0; c < channels; ++c) {
      sum[c] += dy[c];
      dot[c] += dy[c] * (std::max(x[c], floor) - mean[c]);
    }
  }
}

}  // namespace

void gradient_sums(const float* x, const float* dy, std::int64_t rows, std::int64_t channels, float floor,
                   const float* mean, std::vector<double>& sums, std::vector<double>& dots) {
  const auto width = static_cast<std::size_t>(channels);
  const std::int64_t chunks = chunks_of(rows);
  std::vector<float> partial(static_cast<std::size_t>(chunks) * width * 2);
  at::parallel_for(0, chunks, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t first = i * kChunkRows;
      float* sum = partial.data() + i * channels * 2;
      add_gradient_sums(x + first * channels, dy + first * channels, std::min(kChunkRows, rows - first),
                        channels, floor, mean, sum, sum + channels);
    }
  });
  sums.assign(width, 0.0);
  dots.assign(width, 0.0);
  for (std::int64_t i = 0; i < chunks; ++i) {
    const float* sum = partial.data() + i * channels * 2;
    for (std::size_t c = 0; c < width; ++c) {
      sums[c] += static_cast<double>(sum[c]);
      dots[c] += static_cast<double>(sum[width + c]);
    }
  }
}

namespace {

BITTERN_VECTORISED void add_floored(const float* __restrict x, std::int64_t count, float floor,
                                    float* __restrict sum) {
  for (std::int64_t i = 0; i < count; ++i) sum[i] += std::max(x[i], floor);
}

BITTERN_VECTORISED void divide(float* values, std::int64_t count, float divisor) {
  for (std::int64_t i = 0; i < count; ++i) values[i] /= divisor;
}

BITTERN_VECTORISED void time_gradient_some(const float* __restrict x, const float* __restrict base,
                                           std::int64_t rows, std::int64_t channels, float floor,
                                           const float* __restrict on_value, float* __restrict dx) {
  for (std::int64_t r = 0; r < rows; ++r, x += channels, base += channels, dx += channels) {
    for (std::int64_t c = 0; c < channels; ++c) {
      const float full = base[c] + x[c] * on_value[c];
      dx[c] = x[c] > floor ? full : 0.0F;
    }
  }
}

}  // namespace

void time_mean(const float* x, std::int64_t times, std::int64_t count, float floor, float* mean) {
  constexpr std::int64_t kSlice = 4096;  // numbers that stay in the cache over all times
  at::parallel_for(0, count, kSlice, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t first = begin; first < end; first += kSlice) {
      const std::int64_t size = std::min(kSlice, end - first);
      std::fill_n(mean + first, size, 0.0F);
      for (std::int64_t t = 0; t < times; ++t) add_floored(x + t * count + first, size, floor, mean + first);
      divide(mean + first, size, static_cast<float>(times));
    }
  });
}

void time_gradient(const float* x, const float* base, std::int64_t times, std::int64_t count,
                   std::int64_t channels, float floor, const float* on_value, float* dx) {
  at::parallel_for(0, times, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t t = begin; t < end; ++t)
      time_gradient_some(x + t * count, base, count / channels, channels, floor, on_value, dx + t * count);
  });
}

}  // namespace bittern::training
