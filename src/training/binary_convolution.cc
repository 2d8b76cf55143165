#include "training/binary_convolution.h"

#include <algorithm>

#include "core/aligned.h"
#include "core/bits.h"
#include "core/isa.h"
#include "kernels/kernels.h"
#include "training/quantizers.h"
#include "training/torch.h"

namespace bittern::training {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

// `columns` output pixels from (out_row, out_column) on, and where they read.
struct Run {
  int tap;
  int out_row;
  int out_column;
  int in_row;
  int in_column;
  int columns;
};

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

  // Calls inside(run) for every run of output pixels of row `out_row` whose inputs under `tap` are inside and
  // neighbours too, and outside(run) for those that read padding.
  template <class Inside, class Outside>
  void walk_row(int tap, int out_row, const Inside& inside, const Outside& outside) const {
    const int in_row = out_row * stride.time + tap / kernel.frequency - time.before;
    const int shift = tap % kernel.frequency - frequency.before;
    // Output columns [first, last) read columns inside the input.
    int first = 0;
    while (first < frequency.output && first * stride.frequency + shift < 0) ++first;
    int last = frequency.output;
    while (last > first && (last - 1) * stride.frequency + shift >= in_frequency) --last;
    if (in_row < 0 || in_row >= in_time) first = last = 0;
    if (first > 0) outside(Run{tap, out_row, 0, in_row, 0, first});
    if (last < frequency.output) outside(Run{tap, out_row, last, in_row, 0, frequency.output - last});
    const int columns = stride.frequency == 1 ? last - first : 1;
    for (int column = first; column < last; column += columns)
      inside(Run{tap, out_row, column, in_row, column * stride.frequency + shift, columns});
  }

  template <class Inside, class Outside>
  void walk(const Inside& inside, const Outside& outside) const {
    for (int out_row = 0; out_row < time.output; ++out_row)
      for (int tap = 0; tap < taps(); ++tap) walk_row(tap, out_row, inside, outside);
  }
};

// Columns [column, column + count) of row `row` as a matrix [count * clips, channels].
at::Tensor run_of(const at::Tensor& x, int row, int column, int count) {
  return x.select(0, row).narrow(0, column, count).view({-1, x.size(3)});
}

// f(i) for i in [0, count), on several threads where the tensor is on the CPU.
template <class Function>
void for_each(const at::Tensor& tensor, std::int64_t count, const Function& f) {
  const auto range = [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) f(static_cast<int>(i));
  };
  if (tensor.is_cpu()) {
    at::parallel_for(0, count, 1, range);
  } else {
    range(0, count);
  }
}

// The sums by matrix products.
at::Tensor multiply(const at::Tensor& signs, const at::Tensor& kernel, const Geometry& geometry) {
  at::Tensor output = at::zeros(
      {geometry.time.output, geometry.frequency.output, signs.size(2), kernel.size(2)}, signs.options());
  const at::Tensor padding = kernel.sum(1);  // what a tap adds where it reads +1 everywhere
  geometry.walk(
      [&](const Run& run) {
        run_of(output, run.out_row, run.out_column, run.columns)
            .addmm_(run_of(signs, run.in_row, run.in_column, run.columns), kernel[run.tap]);
      },
      [&](const Run& run) {
        if (geometry.pad_one) run_of(output, run.out_row, run.out_column, run.columns).add_(padding[run.tap]);
      });
  return output;
}

// The sums by the runtime's kernel: clip by clip, for its bits stand pixel by pixel.
at::Tensor count_bits(const at::Tensor& x, const at::Tensor& kernel, const graph::BinaryConv2d& convolution,
                      const Geometry& geometry) {
  const auto in = static_cast<int>(x.size(3));
  const auto out = static_cast<int>(kernel.size(2));
  const auto clips = static_cast<int>(x.size(2));
  const auto time = static_cast<int>(x.size(0));
  const auto frequency = static_cast<int>(x.size(1));
  AlignedBuffer<std::uint64_t> packed(packed_kernel_words(out, geometry.taps(), in));
  pack_kernel(kernel.data_ptr<float>(), out, geometry.taps(), in, packed.data());

  kernels::BinaryConv2dShape shape;
  shape.window = {geometry.kernel.time,      geometry.kernel.frequency, geometry.stride.time,
                  geometry.stride.frequency, geometry.time.before,      geometry.frequency.before};
  shape.in_channels = in;
  shape.out_channels = out;
  shape.pad_with_one = convolution.pad_value == graph::BinaryPadding::kOne;
  at::Tensor output = at::empty({geometry.time.output, geometry.frequency.output, clips, out}, x.options());
  const auto view = [clips](float* data, int rows, int columns, int channels, int clip) {
    const std::ptrdiff_t pixel = std::ptrdiff_t{clips} * channels;
    return kernels::View<float>{
        data + std::ptrdiff_t{clip} * channels, rows, columns, channels, pixel, columns * pixel};
  };
  const kernels::KernelTable& table = kernels::kernels(best_isa());
  at::parallel_for(0, clips, 1, [&](std::int64_t begin, std::int64_t end) {
    AlignedBuffer<std::uint64_t> bits(static_cast<std::size_t>(time) * static_cast<std::size_t>(frequency) *
                                      static_cast<std::size_t>(words_for(in)));
    const auto bit_view = kernels::dense_view(bits.data(), time, frequency, words_for(in));
    for (auto clip = static_cast<int>(begin); clip < end; ++clip) {
      table.pack_signs(view(x.data_ptr<float>(), time, frequency, in, clip), nullptr, nullptr, bit_view, 0,
                       time);
      table.binary_conv2d(
          shape, bit_view, packed.data(), {},
          view(output.data_ptr<float>(), geometry.time.output, geometry.frequency.output, out, clip), 0,
          geometry.time.output);
    }
  });
  return output;
}

struct BinaryConvolution : Function<BinaryConvolution> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const at::Tensor& kernel,
                            const graph::BinaryConv2d* convolution) {
    const at::Tensor x = input.contiguous();
    const Geometry geometry(x, *convolution);
    context->save_for_backward({x, kernel});
    context->saved_data["convolution"] = reinterpret_cast<std::int64_t>(convolution);
    return x.is_cpu() ? count_bits(x, kernel.contiguous(), *convolution, geometry)
                      : multiply(training::sign(x), kernel, geometry);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor& kernel = saved[1];
    const auto* convolution =
        reinterpret_cast<const graph::BinaryConv2d*>(context->saved_data["convolution"].toInt());
    const Geometry geometry(x, *convolution);
    const at::Tensor dy = gradients[0].contiguous();
    const at::Tensor dsigns = signs_gradient(dy, kernel, x, geometry);
    return {input_gradient(x, dsigns, convolution->input_quantizer, convolution->input_clip),
            kernel_gradient(dy, kernel, training::sign(x), geometry), at::Tensor()};
  }

  // One input row at a time, so that no two threads add to the same place.
  static at::Tensor signs_gradient(const at::Tensor& dy, const at::Tensor& kernel, const at::Tensor& x,
                                   const Geometry& geometry) {
    at::Tensor dsigns = at::zeros_like(x);
    for_each(x, x.size(0), [&](int in_row) {
      for (int tap_row = 0; tap_row < geometry.kernel.time; ++tap_row) {
        const int scaled = in_row + geometry.time.before - tap_row;
        if (scaled < 0 || scaled % geometry.stride.time != 0) continue;
        const int out_row = scaled / geometry.stride.time;
        if (out_row >= geometry.time.output) continue;
        for (int column = 0; column < geometry.kernel.frequency; ++column) {
          const int tap = tap_row * geometry.kernel.frequency + column;
          geometry.walk_row(
              tap, out_row,
              [&](const Run& run) {
                run_of(dsigns, run.in_row, run.in_column, run.columns)
                    .addmm_(run_of(dy, run.out_row, run.out_column, run.columns), kernel[tap].t());
              },
              [](const Run&) {});
        }
      }
    });
    return dsigns;
  }

  static at::Tensor kernel_gradient(const at::Tensor& dy, const at::Tensor& kernel, const at::Tensor& signs,
                                    const Geometry& geometry) {
    at::Tensor dkernel = at::zeros_like(kernel);
    for_each(signs, geometry.taps(), [&](int tap) {
      at::Tensor gradient = dkernel[tap];
      at::Tensor padding = at::zeros({1, kernel.size(2)}, kernel.options());
      for (int out_row = 0; out_row < geometry.time.output; ++out_row) {
        geometry.walk_row(
            tap, out_row,
            [&](const Run& run) {
              gradient.addmm_(run_of(signs, run.in_row, run.in_column, run.columns).t(),
                              run_of(dy, run.out_row, run.out_column, run.columns));
            },
            [&](const Run& run) {
              if (geometry.pad_one)
                padding.add_(run_of(dy, run.out_row, run.out_column, run.columns).sum(0, true));
            });
      }
      if (geometry.pad_one) gradient.add_(padding);
    });
    return dkernel;
  }
};

}  // namespace

at::Tensor binary_convolution(const at::Tensor& x, const at::Tensor& kernel,
                              const graph::BinaryConv2d& convolution) {
  return BinaryConvolution::apply(x, kernel, &convolution);
}

}  // namespace bittern::training
