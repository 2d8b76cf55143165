// The loops of a batch norm over rows of channels, [rows, channels]. `floor`: values below it count as it (a
// ReLU before the norm: 0; none: minus infinity). The bits do not depend on the number of threads.
#pragma once

#include <cstdint>
#include <vector>

namespace bittern::training {

struct Moments {  // of `count` rows, per channel
  std::int64_t count = 0;
  std::vector<double> mean;
  std::vector<double> squares;  // sum of (x - mean)^2
};
Moments moments_of(const float* x, std::int64_t rows, std::int64_t channels, float floor);

// y = max(x, floor) * scale + bias.
void scale_rows(const float* x, float* y, std::int64_t rows, std::int64_t channels, float floor,
                const float* scale, const float* bias);

// sums[c] = sum of dy, dots[c] = sum of dy * (max(x, floor) - mean).
void gradient_sums(const float* x, const float* dy, std::int64_t rows, std::int64_t channels, float floor,
                   const float* mean, std::vector<double>& sums, std::vector<double>& dots);

// dx = dy * on_gradient + max(x, floor) * on_value + constant where x > floor, else 0.
void gradient_rows(const float* x, const float* dy, float* dx, std::int64_t rows, std::int64_t channels,
                   float floor, const float* on_gradient, const float* on_value, const float* constant);

// A block of numbers per time step, [times, count]. mean[i] = mean over time of max(x, floor).
void time_mean(const float* x, std::int64_t times, std::int64_t count, float floor, float* mean);

// dx = base + max(x, floor) * on_value where x > floor, else 0; base [count] is the same for all times,
// on_value [channels] repeats within count.
void time_gradient(const float* x, const float* base, std::int64_t times, std::int64_t count,
                   std::int64_t channels, float floor, const float* on_value, float* dx);

}  // namespace bittern::training
