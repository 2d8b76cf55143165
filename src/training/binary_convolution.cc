#include "training/binary_convolution.h"

#include <algorithm>
#include <cstring>

#include "core/aligned.h"
#include "core/bits.h"
#include "core/isa.h"
#include "kernels/kernels.h"
#include "training/portable.h"
#include "training/quantizers.h"
#include "training/saved_attributes.h"
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

  // The share of (output pixel, tap) pairs that read the input and not padding.
  double inside_share() const {
    return inside_share(time, kernel.time, stride.time, in_time) *
           inside_share(frequency, kernel.frequency, stride.frequency, in_frequency);
  }

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

  static double inside_share(const graph::Window& window, int taps, int step, std::int64_t input) {
    int inside = 0;
    for (int i = 0; i < window.output; ++i) {
      for (int tap = 0; tap < taps; ++tap) {
        const int at = i * step + tap - window.before;
        inside += at >= 0 && at < input ? 1 : 0;
      }
    }
    return static_cast<double>(inside) / (static_cast<double>(window.output) * taps);
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
  std::vector<std::int16_t> tap_bits(tap_bits_size(out, geometry.taps()));
  count_tap_bits(packed.data(), out, geometry.taps(), in, tap_bits.data());

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
          shape, bit_view, packed.data(), tap_bits.data(), {},
          view(output.data_ptr<float>(), geometry.time.output, geometry.frequency.output, out, clip), 0,
          geometry.time.output);
    }
  });
  return output;
}

struct Gradients {
  at::Tensor signs;   // as the input
  at::Tensor kernel;  // [taps, in, out], without what the padding adds
};

// Rows of the input that are unfolded together: enough for tall matrices, few enough to stay near the core.
constexpr std::int64_t kUnfoldedFloats = std::int64_t{1} << 21;

// What reads each input pixel of rows [first, first + rows): the gradients of its outputs side by side,
// [pixels x clips, taps x out], 0 where a tap has none. Stride 1 only.
void unfold(const at::Tensor& dy, const Geometry& geometry, std::int64_t first, std::int64_t rows,
            float* unfolded) {
  const std::int64_t clips = dy.size(2);
  const auto out = static_cast<std::size_t>(dy.size(3));
  const auto width = static_cast<std::size_t>(geometry.taps()) * out;
  const std::int64_t columns = geometry.in_frequency;
  at::parallel_for(0, rows * columns, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t pixel = begin; pixel < end; ++pixel) {
      for (int tap = 0; tap < geometry.taps(); ++tap) {
        const std::int64_t row =
            first + pixel / columns + geometry.time.before - tap / geometry.kernel.frequency;
        const std::int64_t column =
            pixel % columns + geometry.frequency.before - tap % geometry.kernel.frequency;
        const bool read =
            row >= 0 && row < geometry.time.output && column >= 0 && column < geometry.frequency.output;
        float* to =
            unfolded + static_cast<std::size_t>(pixel * clips) * width + static_cast<std::size_t>(tap) * out;
        const float* from =
            read ? dy.data_ptr<float>() + (row * geometry.frequency.output + column) * clips * dy.size(3)
                 : nullptr;
        for (std::int64_t clip = 0; clip < clips; ++clip, to += width) {
          if (read) {
            std::memcpy(to, from + clip * dy.size(3), out * sizeof(float));
          } else {
            std::memset(to, 0, out * sizeof(float));
          }
        }
      }
    }
  });
}

// Both gradients are one matrix product each over the unfolded gradient of the output: the sums over taps are
// made in registers, and neither the signs nor the result is walked once per tap.
Gradients unfolded_gradients(const at::Tensor& dy, const at::Tensor& kernel, const at::Tensor& signs,
                             const Geometry& geometry) {
  const std::int64_t in = signs.size(3);
  const std::int64_t out = dy.size(3);
  const std::int64_t width = geometry.taps() * out;
  const std::int64_t row_pixels = geometry.in_frequency * signs.size(2);
  const std::int64_t most_rows =
      std::clamp<std::int64_t>(kUnfoldedFloats / (row_pixels * width), 1, geometry.in_time);
  const at::Tensor transposed = kernel.transpose(1, 2).reshape({width, in});
  const at::Tensor buffer = at::empty({most_rows * row_pixels, width}, signs.options());
  at::Tensor dsigns = at::empty_like(signs);
  at::Tensor dkernel = at::zeros({in, width}, signs.options());
  for (std::int64_t first = 0; first < geometry.in_time; first += most_rows) {
    const std::int64_t rows = std::min(most_rows, geometry.in_time - first);
    const at::Tensor unfolded = buffer.narrow(0, 0, rows * row_pixels);
    unfold(dy, geometry, first, rows, unfolded.data_ptr<float>());
    at::Tensor part = dsigns.narrow(0, first, rows).view({-1, in});
    at::mm_out(part, unfolded, transposed);
    dkernel.addmm_(signs.narrow(0, first, rows).view({-1, in}).t(), unfolded);
  }
  return {dsigns, dkernel.view({in, geometry.taps(), out}).transpose(0, 1).contiguous()};
}

// Tap by tap, over exactly the pixels that a tap reads.
Gradients tap_gradients(const at::Tensor& dy, const at::Tensor& kernel, const at::Tensor& signs,
                        const Geometry& geometry) {
  Gradients result{at::zeros_like(signs), at::zeros_like(kernel)};
  geometry.walk(
      [&](const Run& run) {
        const at::Tensor gradient = run_of(dy, run.out_row, run.out_column, run.columns);
        run_of(result.signs, run.in_row, run.in_column, run.columns).addmm_(gradient, kernel[run.tap].t());
        result.kernel[run.tap].addmm_(run_of(signs, run.in_row, run.in_column, run.columns).t(), gradient);
      },
      [](const Run&) {});
  return result;
}

// A tap that reads +1 outside the input passes the gradient on to all its weights.
void add_padding(const at::Tensor& dy, const Geometry& geometry, at::Tensor& dkernel) {
  at::Tensor sums = at::zeros({geometry.taps(), 1, dy.size(3)}, dy.options());
  geometry.walk([](const Run&) {},
                [&](const Run& run) {
                  sums[run.tap].add_(run_of(dy, run.out_row, run.out_column, run.columns).sum(0, true));
                });
  dkernel.add_(sums);
}

// Unfolding multiplies zeros where taps lie outside, and most of a strided convolution is zeros; tap by tap,
// narrow outputs make flat products. Measured on one core (AVX2): unfolding wins up to 128 outputs.
bool unfolding_pays(const Geometry& geometry, std::int64_t out) {
  constexpr std::int64_t kMostOutputs = 128;
  constexpr double kLeastInside = 0.7;
  return geometry.stride == graph::Extent{1, 1} && out <= kMostOutputs &&
         geometry.inside_share() >= kLeastInside;
}

struct BinaryConvolution : Function<BinaryConvolution> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const at::Tensor& kernel,
                            const graph::BinaryConv2d* convolution) {
    const at::Tensor x = input.contiguous();
    const Geometry geometry(x, *convolution);
    context->save_for_backward({x, kernel});
    save_attributes(context, convolution);
    return count_bits(x, kernel.contiguous(), *convolution, geometry);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor& kernel = saved[1];
    const auto& convolution = saved_attributes<graph::BinaryConv2d>(context);
    const Geometry geometry(x, convolution);
    const at::Tensor dy = gradients[0].contiguous();
    const at::Tensor signs = training::sign(x);
    Gradients result = unfolding_pays(geometry, dy.size(3)) ? unfolded_gradients(dy, kernel, signs, geometry)
                                                            : tap_gradients(dy, kernel, signs, geometry);
    if (geometry.pad_one) add_padding(dy, geometry, result.kernel);
    return {input_gradient(x, result.signs, convolution.input_quantizer, convolution.input_clip),
            result.kernel, at::Tensor()};
  }
};

}  // namespace

at::Tensor binary_convolution(const at::Tensor& x, const at::Tensor& kernel,
                              const graph::BinaryConv2d& convolution) {
  return x.is_cpu() ? BinaryConvolution::apply(x, kernel, &convolution)
                    : portable::binary_convolution(x, kernel, convolution);
}

}  // namespace bittern::training
