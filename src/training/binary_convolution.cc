#include "training/binary_convolution.h"

#include <algorithm>

#include "training/torch.h"

namespace bittern::training {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// Pixels stand outside, clips and channels inside, so the clips of neighbouring pixels of a row are one tall
// matrix in place: a convolution is a matrix product per (output row, tap) over exactly those pixels whose
// tap lies inside the input. Nothing is unfolded, copied or padded.
struct Geometry {
  graph::Extent kernel;
  graph::Extent stride;
  graph::Window time;
  graph::Window frequency;
  std::int64_t in_time;
  std::int64_t in_frequency;
  bool pad_one;

  Geometry(const at::Tensor& signs, const graph::BinaryConv2d& convolution)
      : kernel(convolution.kernel),
        stride(convolution.stride),
        time(graph::window(static_cast<int>(signs.size(0)), kernel.time, stride.time, convolution.padding)),
        frequency(graph::window(static_cast<int>(signs.size(1)), kernel.frequency, stride.frequency,
                                convolution.padding)),
        in_time(signs.size(0)),
        in_frequency(signs.size(1)),
        pad_one(convolution.pad_value == graph::BinaryPadding::kOne) {}

  int taps() const { return kernel.time * kernel.frequency; }

  // Calls inside(tap, out_row, out_column, in_row, in_column, columns) for every run of output pixels whose
  // inputs are neighbours too, and outside(tap, out_row, out_column, columns) for those that read padding.
  template <class Inside, class Outside>
  void walk(const Inside& inside, const Outside& outside) const {
    for (int out_row = 0; out_row < time.output; ++out_row) {
      for (int tap = 0; tap < taps(); ++tap) {
        const int in_row = out_row * stride.time + tap / kernel.frequency - time.before;
        const int shift = tap % kernel.frequency - frequency.before;
        // Output columns [first, last) read columns inside the input.
        int first = 0;
        while (first < frequency.output && first * stride.frequency + shift < 0) ++first;
        int last = frequency.output;
        while (last > first && (last - 1) * stride.frequency + shift >= in_frequency) --last;
        if (in_row < 0 || in_row >= in_time) first = last = 0;
        if (first > 0) outside(tap, out_row, 0, first);
        if (last < frequency.output) outside(tap, out_row, last, frequency.output - last);
        const int run = stride.frequency == 1 ? last - first : 1;
        for (int column = first; column < last; column += run)
          inside(tap, out_row, column, in_row, column * stride.frequency + shift, run);
      }
    }
  }
};

// Columns [column, column + count) of row `row` as a matrix [count * clips, channels].
at::Tensor run_of(const at::Tensor& x, int row, int column, int count) {
  return x.select(0, row).narrow(0, column, count).view({-1, x.size(3)});
}

struct BinaryConvolution : Function<BinaryConvolution> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& signs, const at::Tensor& kernel,
                            const graph::BinaryConv2d* convolution) {
    const Geometry geometry(signs, *convolution);
    context->save_for_backward({signs, kernel});
    context->saved_data["convolution"] = reinterpret_cast<std::int64_t>(convolution);
    at::Tensor output = at::zeros(
        {geometry.time.output, geometry.frequency.output, signs.size(2), kernel.size(2)}, signs.options());
    const at::Tensor padding = kernel.sum(1);  // what a tap adds where it reads +1 everywhere
    geometry.walk(
        [&](int tap, int out_row, int out_column, int in_row, int in_column, int columns) {
          run_of(output, out_row, out_column, columns)
              .addmm_(run_of(signs, in_row, in_column, columns), kernel[tap]);
        },
        [&](int tap, int out_row, int out_column, int columns) {
          if (geometry.pad_one) run_of(output, out_row, out_column, columns).add_(padding[tap]);
        });
    return output;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& signs = saved[0];
    const at::Tensor& kernel = saved[1];
    const auto* convolution =
        reinterpret_cast<const graph::BinaryConv2d*>(context->saved_data["convolution"].toInt());
    const Geometry geometry(signs, *convolution);
    const at::Tensor dy = gradients[0].contiguous();
    at::Tensor dsigns = at::zeros_like(signs);
    at::Tensor dkernel = at::zeros_like(kernel);
    at::Tensor dpadding = at::zeros({kernel.size(0), 1, kernel.size(2)}, kernel.options());
    geometry.walk(
        [&](int tap, int out_row, int out_column, int in_row, int in_column, int columns) {
          const at::Tensor gradient = run_of(dy, out_row, out_column, columns);
          run_of(dsigns, in_row, in_column, columns).addmm_(gradient, kernel[tap].t());
          dkernel[tap].addmm_(run_of(signs, in_row, in_column, columns).t(), gradient);
        },
        [&](int tap, int out_row, int out_column, int columns) {
          if (geometry.pad_one) dpadding[tap].add_(run_of(dy, out_row, out_column, columns).sum(0, true));
        });
    if (geometry.pad_one) dkernel.add_(dpadding);
    return {dsigns, dkernel, at::Tensor()};
  }
};

}  // namespace

at::Tensor binary_convolution(const at::Tensor& signs, const at::Tensor& kernel,
                              const graph::BinaryConv2d& convolution) {
  return BinaryConvolution::apply(signs, kernel, &convolution);
}

}  // namespace bittern::training
