#include "training/prelu.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "training/portable.h"
#include "training/torch.h"
#include "training/vectorised.h"

namespace bittern::training {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// Sums are taken per chunk of rows and the chunks added in order: the bits do not depend on the number of
// threads.
constexpr std::int64_t kChunkRows = 512;

BITTERN_VECTORISED void forward_rows(const float* __restrict x, std::int64_t rows, std::int64_t channels,
                                     const float* __restrict slope, float* __restrict y) {
  for (std::int64_t r = 0; r < rows; ++r, x += channels, y += channels)
    for (std::int64_t c = 0; c < channels; ++c) y[c] = x[c] > 0.0F ? x[c] : x[c] * slope[c];
}

// dx, and onto sums the gradient of the slopes.
BITTERN_VECTORISED void backward_rows(const float* __restrict x, const float* __restrict dy,
                                      std::int64_t rows, std::int64_t channels, const float* __restrict slope,
                                      float* __restrict dx, float* __restrict sums) {
  for (std::int64_t r = 0; r < rows; ++r, x += channels, dy += channels, dx += channels) {
    for (std::int64_t c = 0; c < channels; ++c) {
      const bool above = x[c] > 0.0F;
      dx[c] = above ? dy[c] : dy[c] * slope[c];
      sums[c] += above ? 0.0F : dy[c] * x[c];
    }
  }
}

// x: [rows, channels] contiguous.
struct PreluFunction : Function<PreluFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& slope) {
    at::Tensor y = at::empty_like(x);
    const std::int64_t channels = x.size(1);
    at::parallel_for(0, x.size(0), kChunkRows, [&](std::int64_t begin, std::int64_t end) {
      forward_rows(x.data_ptr<float>() + begin * channels, end - begin, channels, slope.data_ptr<float>(),
                   y.data_ptr<float>() + begin * channels);
    });
    context->save_for_backward({x, slope});
    return y;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor dy = gradients[0].contiguous();
    const std::int64_t rows = x.size(0);
    const std::int64_t channels = x.size(1);
    const std::int64_t chunks = (rows + kChunkRows - 1) / kChunkRows;
    at::Tensor dx = at::empty_like(x);
    std::vector<float> partial(static_cast<std::size_t>(chunks * channels));
    at::parallel_for(0, chunks, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t first = i * kChunkRows * channels;
        backward_rows(x.data_ptr<float>() + first, dy.data_ptr<float>() + first,
                      std::min(kChunkRows, rows - i * kChunkRows), channels, saved[1].data_ptr<float>(),
                      dx.data_ptr<float>() + first, partial.data() + i * channels);
      }
    });
    std::vector<double> sums(static_cast<std::size_t>(channels));
    for (std::size_t i = 0; i < partial.size(); ++i) sums[i % sums.size()] += static_cast<double>(partial[i]);
    at::Tensor dslope = at::empty_like(saved[1]);
    std::copy(sums.begin(), sums.end(), dslope.data_ptr<float>());
    return {dx, dslope};
  }
};

}  // namespace

at::Tensor prelu(const at::Tensor& x, const at::Tensor& slope) {
  if (!x.is_cpu()) return portable::prelu(x, slope);
  return PreluFunction::apply(x.reshape({-1, x.size(-1)}).contiguous(), slope).reshape(x.sizes());
}

}  // namespace bittern::training
