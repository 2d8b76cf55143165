#include "training/binary_convolution.h"

#include "core/aligned.h"
#include "core/bits.h"
#include "core/isa.h"
#include "kernels/kernels.h"
#include "training/binary_gradients.h"
#include "training/portable.h"
#include "training/saved_attributes.h"
#include "training/torch.h"

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
