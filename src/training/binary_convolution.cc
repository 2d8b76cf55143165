#include "training/binary_convolution.h"

#include "core/aligned.h"
#include "core/bits.h"
#include "core/isa.h"
#include "kernels/kernels.h"
#include "training/binary_gradients.h"
#include "training/portable.h"
#include "training/saved_attributes.h"
#include "training/torch.h"
#include "training/vectorised.h"

namespace bittern::training {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

struct Geometry {
  graph::Extent kernel;
  graph::Extent stride;
  graph::Window time;
  graph::Window frequency;

  Geometry(const at::Tensor& x, const graph::BinaryConv2d& convolution)
      : kernel(convolution.kernel),
        stride(convolution.stride),
        time(graph::window(static_cast<int>(x.size(0)), kernel.time, stride.time, convolution.padding)),
        frequency(graph::window(static_cast<int>(x.size(1)), kernel.frequency, stride.frequency,
                                convolution.padding)) {}

  int taps() const { return kernel.time * kernel.frequency; }
};

BITTERN_VECTORISED void pack(const float* kernel, int out, int taps, int in, std::uint64_t* packed) {
  pack_kernel(kernel, out, taps, in, packed);
}

// The sums by the runtime's kernel, clip by clip, for its bits stand pixel by pixel. The floats stand clips
// inside pixels: they are packed in that order, which is memory's.
at::Tensor count_bits(const at::Tensor& x, const at::Tensor& kernel, const graph::BinaryConv2d& convolution,
                      const Geometry& geometry) {
  const auto in = static_cast<int>(x.size(3));
  const auto out = static_cast<int>(kernel.size(2));
  const auto clips = static_cast<int>(x.size(2));
  const auto time = static_cast<int>(x.size(0));
  const auto frequency = static_cast<int>(x.size(1));
  AlignedBuffer<std::uint64_t> packed(packed_kernel_words(out, geometry.taps(), in));
  pack(kernel.data_ptr<float>(), out, geometry.taps(), in, packed.data());
  std::vector<std::int16_t> tap_bits(tap_bits_size(out, geometry.taps()));
  count_tap_bits(packed.data(), out, geometry.taps(), in, tap_bits.data());

  kernels::BinaryConv2dShape shape;
  shape.window = {geometry.kernel.time,      geometry.kernel.frequency, geometry.stride.time,
                  geometry.stride.frequency, geometry.time.before,      geometry.frequency.before};
  shape.in_channels = in;
  shape.out_channels = out;
  shape.pad_with_one = convolution.pad_value == graph::BinaryPadding::kOne;
  at::Tensor output = at::empty({geometry.time.output, geometry.frequency.output, clips, out}, x.options());
  const int words = words_for(in);
  const std::ptrdiff_t pixels = std::ptrdiff_t{time} * frequency;
  AlignedBuffer<std::uint64_t> bits(static_cast<std::size_t>(pixels * clips * words));
  const kernels::KernelTable& table = kernels::kernels(best_isa());
  at::parallel_for(0, pixels, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t pixel = begin; pixel < end; ++pixel) {
      const auto from =
          kernels::dense_view<const float>(x.data_ptr<float>() + pixel * clips * in, 1, clips, in);
      auto to = kernels::dense_view(bits.data() + pixel * words, 1, clips, words);
      to.pixel_stride = pixels * words;
      table.pack_signs(from, nullptr, nullptr, to, 0, 1);
    }
  });
  const std::ptrdiff_t step = std::ptrdiff_t{clips} * out;  // floats of an output pixel
  at::parallel_for(0, clips, 1, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t clip = begin; clip < end; ++clip) {
      const auto from = kernels::dense_view<const std::uint64_t>(bits.data() + clip * pixels * words, time,
                                                                 frequency, words);
      auto to = kernels::dense_view(output.data_ptr<float>() + clip * out, geometry.time.output,
                                    geometry.frequency.output, out);
      to.pixel_stride = step;
      to.row_stride = step * geometry.frequency.output;
      table.binary_conv2d(shape, from, packed.data(), tap_bits.data(), {}, to, 0, geometry.time.output);
    }
  });
  return output;
}

struct BinaryConvolution : Function<BinaryConvolution> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& input, const at::Tensor& kernel,
                            const graph::BinaryConv2d* convolution, std::int64_t precision) {
    const at::Tensor x = input.contiguous();
    const Geometry geometry(x, *convolution);
    context->save_for_backward({x, kernel});
    save_attributes(context, convolution);
    context->saved_data["precision"] = precision;
    return count_bits(x, kernel.contiguous(), *convolution, geometry);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor& x = saved[0];
    const at::Tensor& kernel = saved[1];
    const auto precision = static_cast<Precision>(context->saved_data["precision"].toInt());
    BinaryGradients result = binary_gradients(x, kernel, gradients[0].contiguous(),
                                              saved_attributes<graph::BinaryConv2d>(context), precision);
    return {std::move(result.input), std::move(result.kernel), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor binary_convolution(const at::Tensor& x, const at::Tensor& kernel,
                              const graph::BinaryConv2d& convolution, Precision precision) {
  return x.is_cpu() ? BinaryConvolution::apply(x, kernel, &convolution, static_cast<std::int64_t>(precision))
                    : portable::binary_convolution(x, kernel, convolution);
}

}  // namespace bittern::training
