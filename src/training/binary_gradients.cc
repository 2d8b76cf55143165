#include "training/binary_gradients.h"

#include <omp.h>

#include <algorithm>
#include <cstring>
#include <utility>
#include <vector>

#include "training/gradient_parts.h"
#include "training/lookup_gradients.h"
#include "training/lookup_product.h"
#include "training/matrix_product.h"
#include "training/scratch.h"
#include "training/sign_columns.h"
#include "training/sliding_window.h"
#include "training/tile_gradients.h"
#include "training/torch.h"
#include "training/vectorised.h"

namespace bittern::training {
namespace {

inline void store(float value, float& to) { to = value; }
inline void store(float value, Bf16& to) { to = to_bf16(value); }

// to[j * rows + i] = from[i * columns + j], in blocks that stay in the cache.
template <class T>
void transpose(const float* from, std::int64_t rows, std::int64_t columns, T* to) {
  constexpr std::int64_t kBlock = 16;
  for (std::int64_t i0 = 0; i0 < rows; i0 += kBlock)
    for (std::int64_t j0 = 0; j0 < columns; j0 += kBlock)
      for (std::int64_t j = j0; j < std::min(j0 + kBlock, columns); ++j)
        for (std::int64_t i = i0; i < std::min(i0 + kBlock, rows); ++i)
          store(from[i * columns + j], to[j * rows + i]);
}

BITTERN_VECTORISED void round_each(const float* from, Bf16* to, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) to[i] = to_bf16(from[i]);
}

// to[c] = {even[c], odd[c]}.
BITTERN_VECTORISED void pair_each(const Bf16* even, const Bf16* odd, Bf16* to, std::int64_t count) {
  for (std::int64_t c = 0; c < count; ++c) {
    to[2 * c] = even[c];
    to[2 * c + 1] = odd[c];
  }
}

// to[i * stride + c] = from[i * columns + c].
template <class T>
inline void spread_each(const T* from, std::int64_t rows, std::int64_t columns, T* to, std::int64_t stride) {
  constexpr std::int64_t kVector = 64 / static_cast<std::int64_t>(sizeof(T));
  for (std::int64_t i = 0; i < rows; ++i, from += columns, to += stride) {
    std::int64_t c = 0;
    for (; c + kVector <= columns; c += kVector) std::memcpy(to + c, from + c, 64);
    if (c < columns) std::memcpy(to + c, from + c, static_cast<std::size_t>(columns - c) * sizeof(T));
  }
}
BITTERN_VECTORISED void spread_rows(const float* from, std::int64_t rows, std::int64_t columns, float* to,
                                    std::int64_t stride) {
  spread_each(from, rows, columns, to, stride);
}
BITTERN_VECTORISED void spread_rows(const Bf16* from, std::int64_t rows, std::int64_t columns, Bf16* to,
                                    std::int64_t stride) {
  spread_each(from, rows, columns, to, stride);
}

// Input pixels that the same taps read, if any: with stride 1 all of them, with stride 2 one of four classes.
// Every tap belongs to one class.
struct PixelClass {
  std::vector<int> taps;
  std::vector<std::int64_t> pixels;
};

std::vector<PixelClass> pixel_classes(const SlidingWindow& window, const graph::BinaryConv2d& convolution,
                                      std::int64_t in_time, std::int64_t in_frequency) {
  const graph::Extent stride = convolution.stride;
  const int before_time = window.time_padding().before;
  const int before_frequency = window.frequency_padding().before;
  std::vector<PixelClass> classes(static_cast<std::size_t>(stride.time) *
                                  static_cast<std::size_t>(stride.frequency));
  const auto of = [&](std::int64_t row, std::int64_t column) -> PixelClass& {
    return classes[static_cast<std::size_t>((row % stride.time) * stride.frequency +
                                            column % stride.frequency)];
  };
  for (int tap = 0; tap < window.taps(); ++tap)
    of(tap / convolution.kernel.frequency, tap % convolution.kernel.frequency).taps.push_back(tap);
  for (std::int64_t row = 0; row < in_time; ++row)
    for (std::int64_t column = 0; column < in_frequency; ++column)
      of(row + before_time, column + before_frequency).pixels.push_back(row * in_frequency + column);
  return classes;
}

// Both gradients are one matrix product each over the output's gradient unfolded: for each input pixel the
// gradients of the outputs that read it, side by side, [pixels x clips, taps x out], 0 where a tap has none.
// Pieces are taken that stay in a core's own cache, so neither the unfolded nor the signs are ever written to
// memory. Processors with bf16 want a product's right side in panels of pairs (matrix_product.h): the
// kernel's gradient gets its unfolded that way, for rearranging it would cost as much as the product.
template <class T>
class Backward {
 public:
  Backward(const at::Tensor& x, const at::Tensor& kernel, const at::Tensor& dy,
           const graph::BinaryConv2d& convolution)
      : x_(x),
        kernel_(kernel),
        dy_(dy),
        convolution_(convolution),
        window_(window_of(x, convolution)),
        clips_(x.size(2)),
        in_(x.size(3)),
        out_(dy.size(3)),
        readers_(static_cast<std::size_t>(x.size(0) * x.size(1)) * static_cast<std::size_t>(window_.taps()),
                 -1) {
    window_.each_tap([&](std::int64_t out, int tap, std::int64_t in) {
      readers_[static_cast<std::size_t>(in) * static_cast<std::size_t>(window_.taps()) +
               static_cast<std::size_t>(tap)] = out;
    });
  }

  BinaryGradients run() {
    const T* gradient = prepare();
    BinaryGradients result{at::empty_like(x_, at::TensorOptions().requires_grad(false)),
                           at::zeros_like(kernel_, at::TensorOptions().requires_grad(false))};
    for (const PixelClass& pixels : pixel_classes(window_, convolution_, x_.size(0), x_.size(1)))
      add(pixels, gradient, result);
    add_padding_gradient(convolution_, window_, dy_, result.kernel);
    return result;
  }

 private:
  // A piece's rows: enough for tall products, few enough that its unfolded gradients stay in a core's cache.
  static constexpr std::int64_t kPieceBytes = std::int64_t{1} << 20;

  static constexpr std::int64_t kPanel = MatrixProduct::kPanel;

  bool panels_possible() const { return std::is_same_v<T, Bf16> && out_ % kPanel == 0 && clips_ % 32 == 0; }

  // dy as T, plain and in panels, in one pass.
  const T* prepare() {
    const float* values = dy_.data_ptr<float>();
    if constexpr (std::is_same_v<T, Bf16>) {
      const std::int64_t pixels = dy_.size(0) * dy_.size(1);
      const std::int64_t size = clips_ * out_;
      rounded_ = Scratch<T>(pixels * size);
      if (panels_possible()) panels_ = Scratch<T>(pixels * size);
      at::parallel_for(0, pixels, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t pixel = begin; pixel < end; ++pixel) {
          T* const rounded = rounded_.data() + pixel * size;
          round_each(values + pixel * size, rounded, size);
          if (panels_possible()) pair_rows(rounded, panels_.data() + pixel * size);
        }
      });
      return rounded_.data();
    } else {
      return values;
    }
  }

  // [clips, out] -> [out / kPanel, clips / 2, kPanel, 2]
  void pair_rows(const Bf16* from, Bf16* to) const {
    for (std::int64_t clip = 0; clip < clips_; clip += 2, from += 2 * out_)
      for (std::int64_t c = 0; c < out_; c += kPanel)
        pair_each(from + c, from + out_ + c, to + c * clips_ + clip * kPanel, kPanel);
  }

  // [taps x out, in]
  Scratch<T> transposed_kernel(const std::vector<int>& taps) const {
    Scratch<T> result(static_cast<std::int64_t>(taps.size()) * out_ * in_);
    at::parallel_for(0, static_cast<std::int64_t>(taps.size()), 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        transpose(kernel_.data_ptr<float>() + taps[static_cast<std::size_t>(i)] * in_ * out_, in_, out_,
                  result.data() + i * out_ * in_);
      }
    });
    return result;
  }

  std::int64_t reader(const PixelClass& pixels, std::int64_t index, std::int64_t tap) const {
    return readers_[static_cast<std::size_t>(pixels.pixels[static_cast<std::size_t>(index)] * window_.taps() +
                                             pixels.taps[static_cast<std::size_t>(tap)])];
  }

  // [clips, taps x out] of the class's pixel `index`.
  void unfold(const PixelClass& pixels, std::int64_t index, const T* gradient, T* to) const {
    const auto taps = static_cast<std::int64_t>(pixels.taps.size());
    for (std::int64_t i = 0; i < taps; ++i, to += out_) {
      const std::int64_t from = reader(pixels, index, i);
      if (from >= 0) {
        spread_rows(gradient + from * clips_ * out_, clips_, out_, to, taps * out_);
      } else {
        for (std::int64_t clip = 0; clip < clips_; ++clip) std::fill_n(to + clip * taps * out_, out_, T{});
      }
    }
  }

  // The same of `count` pixels from `first` on, as panels of pairs.
  void unfold_panels(const PixelClass& pixels, std::int64_t first, std::int64_t count, T* to) const {
    const std::int64_t size = clips_ * kPanel;
    const std::int64_t panels = out_ / kPanel;
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(pixels.taps.size()); ++i) {
      for (std::int64_t panel = 0; panel < panels; ++panel) {
        for (std::int64_t index = first; index < first + count; ++index, to += size) {
          const std::int64_t from = reader(pixels, index, i);
          if (from >= 0) {
            std::copy_n(panels_.data() + (from * panels + panel) * size, size, to);
          } else {
            std::fill_n(to, size, T{});
          }
        }
      }
    }
  }

  // Pixels [begin, end) of a class, in pieces; sums [in, taps x out] are added up in `dkernel`.
  void run_pieces(const PixelClass& pixels, std::int64_t begin, std::int64_t end, const T* gradient,
                  const T* transposed, float* dkernel, BinaryGradients& result) const {
    const auto width = static_cast<std::int64_t>(pixels.taps.size()) * out_;
    const std::int64_t block = clips_ * in_;  // of a pixel
    const std::int64_t fitting = kPieceBytes / (clips_ * width * static_cast<std::int64_t>(sizeof(T)));
    const std::int64_t most = std::clamp<std::int64_t>(std::max(fitting, 2 * in_ / clips_), 1, end - begin);
    const Scratch<T> unfolded(most * clips_ * width);
    const Scratch<T> signs(most * block);
    const Scratch<float> dsigns(most * block);
    Scratch<T> panels;
    Scratch<T> packed_kernel;
    std::int64_t made_for = 0;  // pixels that the products are for
    std::vector<MatrixProduct> products;
    for (std::int64_t first = begin; first < end; first += most) {
      const std::int64_t count = std::min(most, end - first);
      const std::int64_t rows = count * clips_;
      const bool add = first > begin;
      if (made_for != count || first == begin + most) {
        constexpr bool kBf16 = std::is_same_v<T, Bf16>;
        products.clear();
        products.emplace_back(
            MatrixProduct::Shape{.rows = rows, .inner = width, .columns = in_, .right_packed = true}, kBf16);
        packed_kernel = Scratch<T>(products[0].packed_size());
        products[0].pack_right(transposed, packed_kernel.data());
        MatrixProduct::Shape shape{
            .rows = in_, .inner = rows, .columns = width, .right_packed = true, .add = add};
        products.emplace_back(shape, kBf16);
        made_for = count;
        if (panels_possible() && products[1].packs_panels_of_pairs()) {
          if (panels.data() == nullptr) panels = Scratch<T>(most * clips_ * width);
        } else {
          shape.right_packed = false;
          products[1] = MatrixProduct(shape, kBf16);
          panels = Scratch<T>();
        }
      }
      for (std::int64_t i = 0; i < count; ++i) {
        unfold(pixels, first + i, gradient, unfolded.data() + i * clips_ * width);
        sign_columns(x_.data_ptr<float>() + pixels.pixels[static_cast<std::size_t>(first + i)] * block,
                     clips_, in_, signs.data() + i * clips_, rows);
      }
      products[0](unfolded.data(), packed_kernel.data(), dsigns.data());
      if (panels.data() != nullptr) unfold_panels(pixels, first, count, panels.data());
      products[1](signs.data(), panels.data() != nullptr ? panels.data() : unfolded.data(), dkernel);
      for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t pixel = pixels.pixels[static_cast<std::size_t>(first + i)];
        pass_signs(convolution_, x_.data_ptr<float>() + pixel * block, dsigns.data() + i * block,
                   result.input.template data_ptr<float>() + pixel * block, block);
      }
    }
  }

  void add(const PixelClass& pixels, const T* gradient, BinaryGradients& result) const {
    const auto count = static_cast<std::int64_t>(pixels.pixels.size());
    const auto taps = static_cast<std::int64_t>(pixels.taps.size());
    if (count == 0) return;
    if (taps == 0) {  // a stride wider than the kernel: nobody reads these
      for (const std::int64_t pixel : pixels.pixels)
        result.input.view({-1, clips_ * in_}).select(0, pixel).zero_();
      return;
    }
    const Scratch<T> transposed = transposed_kernel(pixels.taps);
    // Every thread has sums of its own, which pays while they are small beside what they are made from.
    // Otherwise the threads share each product.
    const std::int64_t threads = std::clamp<std::int64_t>(
        count * clips_ / (2 * in_), 1, std::min<std::int64_t>(at::get_num_threads(), count));
    const std::int64_t size = in_ * taps * out_;
    const Scratch<float> sums(size * threads);
    if (threads == 1) {
      run_pieces(pixels, 0, count, gradient, transposed.data(), sums.data(), result);
    } else {
      at::parallel_for(0, threads, 1, [&](std::int64_t begin, std::int64_t end) {
        const int all = omp_get_max_threads();
        omp_set_num_threads(1);  // of oneDNN's, in this thread
        for (std::int64_t i = begin; i < end; ++i) {
          run_pieces(pixels, i * count / threads, (i + 1) * count / threads, gradient, transposed.data(),
                     sums.data() + i * size, result);
        }
        omp_set_num_threads(all);
      });
    }
    // [in, taps of the class, out] of all threads, in order -> [taps, in, out].
    at::parallel_for(0, taps, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        float* to = result.kernel.data_ptr<float>() + pixels.taps[static_cast<std::size_t>(i)] * in_ * out_;
        for (std::int64_t thread = 0; thread < threads; ++thread)
          for (std::int64_t c = 0; c < in_; ++c)
            add_each(sums.data() + thread * size + (c * taps + i) * out_, to + c * out_, out_);
      }
    });
  }

  const at::Tensor& x_;
  const at::Tensor& kernel_;
  const at::Tensor& dy_;
  const graph::BinaryConv2d& convolution_;
  SlidingWindow window_;
  std::int64_t clips_;
  std::int64_t in_;
  std::int64_t out_;
  std::vector<std::int64_t> readers_;  // [input pixel, tap]: the output pixel that reads it, or -1
  Scratch<T> rounded_;                 // dy
  Scratch<T> panels_;                  // of it, where they are possible
};

}  // namespace

bool is_supported(Precision precision) {
  switch (precision) {
    case Precision::kInt16:
      return has_lookups();
    case Precision::kBf16:
      return has_bf16() || has_tiles();
    default:
      return true;
  }
}

std::vector<Precision> supported_precisions() {
  std::vector<Precision> result = {Precision::kInt16, Precision::kBf16, Precision::kFp32};
  if (has_tiles()) std::swap(result[0], result[1]);
  result.erase(std::remove_if(result.begin(), result.end(), [](Precision one) { return !is_supported(one); }),
               result.end());
  return result;
}

BinaryGradients binary_gradients(const at::Tensor& x, const at::Tensor& kernel, const at::Tensor& dy,
                                 const graph::BinaryConv2d& convolution, Precision precision) {
  switch (precision) {
    case Precision::kInt16:
      return lookup_gradients(x, kernel, dy, convolution);
    case Precision::kBf16:
      return has_tiles() ? tile_gradients(x, kernel, dy, convolution)
                         : Backward<Bf16>(x, kernel, dy, convolution).run();
    default:
      return Backward<float>(x, kernel, dy, convolution).run();
  }
}

}  // namespace bittern::training
