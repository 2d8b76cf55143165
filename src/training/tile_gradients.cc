#include "training/tile_gradients.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <vector>

#include "training/bf16.h"
#include "training/gradient_parts.h"
#include "training/scratch.h"
#include "training/sign_columns.h"
#include "training/sliding_window.h"
#include "training/torch.h"
#include "training/vectorised.h"

#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__)
#define BITTERN_TILES 1
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace bittern::training {

#ifdef BITTERN_TILES

// Not for the whole file: what it shares with others must run on any processor.
#define BITTERN_AMX __attribute__((target("amx-tile,amx-bf16")))

bool has_tiles() {
  static const bool has = [] {
    constexpr unsigned kTileBf16 = 1U << 22U, kTiles = 1U << 24U;
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
    if ((d & kTileBf16) == 0 || (d & kTiles) == 0) return false;
    // Linux gives a process the tiles' 8 KiB of state when asked, and refuses where it knows no tiles.
    constexpr long kRequestPermission = 0x1023, kTileData = 18;
    return ::syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
  }();
  return has;
}

namespace {

// Of a tile: 16 rows of 64 bytes, which are 16 sums or 32 numbers.
constexpr std::int64_t kSide = 16;
// Four tiles of sums are made together; so sizes are padded to
constexpr std::int64_t kBlock = 2 * kSide;
// How much of a matrix is used again and again, at most: it stays in a core's second cache.
constexpr std::int64_t kNear = std::int64_t{1} << 19;

std::int64_t padded(std::int64_t size) { return (size + kBlock - 1) / kBlock * kBlock; }

// What a thread tells its tiles before it uses them. A constant: GCC 12 does not see that the instruction
// reads more than its first bytes.
struct alignas(64) TileShapes {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::array<std::uint8_t, 14> reserved{};
  std::array<std::uint16_t, 16> row_bytes{64, 64, 64, 64, 64, 64, 64, 64};
  std::array<std::uint8_t, 16> rows{16, 16, 16, 16, 16, 16, 16, 16};
};
constexpr TileShapes kWholeTiles;

// All eight tiles are whole ones, in this thread, as long as this lives.
class TileSetting {
 public:
  BITTERN_AMX TileSetting() { _tile_loadconfig(&kWholeTiles); }
  BITTERN_AMX ~TileSetting() { _tile_release(); }
  TileSetting(const TileSetting&) = delete;
  TileSetting& operator=(const TileSetting&) = delete;
};

// Between memory that the compiler sees written and read, and tiles, of whose loads it knows nothing.
inline void settle_memory() { __asm__ volatile("" ::: "memory"); }

// Matrices lie tile by tile: left ones as [inner / 32][rows][32], right ones as [columns / 16][inner /
// 2][16][2], pairs of rows side by side. So a tile is 1 KiB without a gap, whatever the sizes.
constexpr std::int64_t kTile = kSide * kBlock;

// One factor each of a sum of products, [32, inner] times [inner, 32]: where their first tiles lie.
struct Factors {
  const Bf16* left;
  const Bf16* right;
};
// Numbers from a tile of a left matrix to the next of `inner`, and from one of a right matrix to the next of
// its columns.
struct Steps {
  std::int64_t left;
  std::int64_t right;
};

// sums [32, 32], `width` from row to row, = or += the products of all factors.
BITTERN_AMX void multiply(const std::vector<Factors>& factors, std::int64_t inner, Steps steps, float* sums,
                          std::int64_t width, bool add) {
  constexpr std::int64_t kRow = 64;  // bytes
  settle_memory();
  const std::int64_t stride = width * static_cast<std::int64_t>(sizeof(float));
  float* const below = sums + kSide * width;
  if (add) {
    _tile_loadd(0, sums, stride);
    _tile_loadd(1, sums + kSide, stride);
    _tile_loadd(2, below, stride);
    _tile_loadd(3, below + kSide, stride);
  } else {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
  }
  for (const Factors& factor : factors) {
    const Bf16* left = factor.left;
    const Bf16* right = factor.right;
    for (std::int64_t k = 0; k < inner; k += kBlock, left += steps.left, right += kTile) {
      _tile_loadd(4, left, kRow);
      _tile_loadd(6, right, kRow);
      _tile_loadd(7, right + steps.right, kRow);
      _tile_dpbf16ps(0, 4, 6);
      _tile_loadd(5, left + kTile, kRow);
      _tile_dpbf16ps(1, 4, 7);
      _tile_dpbf16ps(2, 5, 6);
      _tile_dpbf16ps(3, 5, 7);
    }
  }
  _tile_stored(0, sums, stride);
  _tile_stored(1, sums + kSide, stride);
  _tile_stored(2, below, stride);
  _tile_stored(3, below + kSide, stride);
  settle_memory();
}

// [rows, columns] as a left matrix of `all_rows`, its columns inner.
BITTERN_VECTORISED void make_left(const float* from, std::int64_t rows, std::int64_t columns,
                                  std::int64_t all_rows, Bf16* to) {
  for (std::int64_t first = 0; first < columns; first += kBlock, to += all_rows * kBlock) {
    const std::int64_t count = std::min(kBlock, columns - first);
    for (std::int64_t row = 0; row < rows; ++row)
      for (std::int64_t i = 0; i < count; ++i)
        to[row * kBlock + i] = to_bf16(from[row * columns + first + i]);
  }
}

// [rows, columns] as a right matrix, its rows inner, of which it has `all_rows`.
BITTERN_VECTORISED void make_right(const float* from, std::int64_t rows, std::int64_t columns,
                                   std::int64_t all_rows, Bf16* to) {
  for (std::int64_t first = 0; first < columns; first += kSide, to += all_rows * kSide) {
    const std::int64_t count = std::min(kSide, columns - first);
    for (std::int64_t row = 0; row < rows; row += 2) {
      const float* const even = from + row * columns + first;
      const float* const odd = row + 1 < rows ? even + columns : nullptr;
      Bf16* const pairs = to + row * kSide;
      for (std::int64_t i = 0; i < count; ++i) {
        pairs[2 * i] = to_bf16(even[i]);
        pairs[2 * i + 1] = odd != nullptr ? to_bf16(odd[i]) : Bf16{0};
      }
    }
  }
}

// [columns, rows] as a right matrix, its rows inner, of which it has `all_rows`.
BITTERN_VECTORISED void make_right_transposed(const float* from, std::int64_t rows, std::int64_t columns,
                                              std::int64_t all_rows, Bf16* to) {
  std::array<std::array<std::uint32_t, kSide>, kSide> square{};  // of pairs: [column][pair]
  for (std::int64_t first = 0; first < columns; first += kSide, to += all_rows * kSide) {
    const std::int64_t width = std::min(kSide, columns - first);
    for (std::int64_t row = 0; row < rows; row += kBlock) {
      const std::int64_t count = std::min(kBlock, rows - row);
      for (std::int64_t c = 0; c < width; ++c) {
        std::array<Bf16, kBlock> rounded{};
        const float* const column = from + (first + c) * rows + row;
        for (std::int64_t i = 0; i < count; ++i) rounded[static_cast<std::size_t>(i)] = to_bf16(column[i]);
        std::memcpy(square[static_cast<std::size_t>(c)].data(), rounded.data(), sizeof(rounded));
      }
      for (std::size_t pair = 0; pair < kSide; ++pair) {
        std::array<std::uint32_t, kSide> across{};
        for (std::size_t c = 0; c < kSide; ++c) across[c] = square[c][pair];
        std::memcpy(to + row * kSide + static_cast<std::int64_t>(pair) * kBlock, across.data(),
                    sizeof(across));
      }
    }
  }
}

// Nothing is unfolded: the tiles read gradients and signs where they lie, tap by tap.
class Backward {
 public:
  Backward(const at::Tensor& x, const at::Tensor& kernel, const at::Tensor& dy,
           const graph::BinaryConv2d& convolution)
      : convolution_(convolution),
        window_(window_of(x, convolution)),
        x_(x.data_ptr<float>()),
        kernel_(kernel.data_ptr<float>()),
        dy_(dy.data_ptr<float>()),
        clips_(x.size(2)),
        in_(x.size(3)),
        out_(dy.size(3)),
        in_pixels_(x.size(0) * x.size(1)),
        out_pixels_(dy.size(0) * dy.size(1)),
        all_clips_(padded(clips_)),
        all_in_(padded(in_)),
        all_out_(padded(out_)),
        readers_(static_cast<std::size_t>(in_pixels_ * window_.taps()), -1),
        sources_(static_cast<std::size_t>(out_pixels_ * window_.taps()), -1) {
    const std::int64_t taps = window_.taps();
    window_.each_tap([&](std::int64_t out, int tap, std::int64_t in) {
      readers_[static_cast<std::size_t>(in * taps + tap)] = out;
      sources_[static_cast<std::size_t>(out * taps + tap)] = in;
    });
  }

  const SlidingWindow& window() const { return window_; }

  // dsigns [pixel][clips, in] = sum over taps of dy [reader][clips, out] x kernel [tap][in, out] transposed.
  void input_gradient(float* dx) const {
    const Scratch<Bf16> gradients =
        each_padded(out_pixels_, clips_ * out_, all_clips_ * all_out_, [&](std::int64_t pixel, Bf16* to) {
          make_left(dy_ + pixel * clips_ * out_, clips_, out_, all_clips_, to);
        });
    const Scratch<Bf16> kernels =
        each_padded(window_.taps(), in_ * out_, all_in_ * all_out_, [&](std::int64_t tap, Bf16* to) {
          make_right_transposed(kernel_ + tap * in_ * out_, out_, in_, all_out_, to);
        });
    const Bf16* const left = gradients.data();
    const Bf16* const right = kernels.data();
    const std::int64_t taps = window_.taps();
    // Channels whose kernels stay near.
    const std::int64_t slice = taps * all_out_ * kBlock * static_cast<std::int64_t>(sizeof(Bf16));
    const std::int64_t width = std::min(std::max<std::int64_t>(kNear / slice, 1) * kBlock, all_in_);
    const Steps steps{all_clips_ * kBlock, all_out_ * kSide};
    at::parallel_for(0, in_pixels_, 1, [&](std::int64_t begin, std::int64_t end) {
      const TileSetting setting;
      const Scratch<float> memory(all_clips_ * width);
      float* const dsigns = memory.data();
      std::vector<Factors> factors;
      for (std::int64_t first = 0; first < all_in_; first += width) {
        const std::int64_t last = std::min(first + width, all_in_);
        for (std::int64_t pixel = begin; pixel < end; ++pixel) {
          for (std::int64_t clip = 0; clip < all_clips_; clip += kBlock) {
            for (std::int64_t c = first; c < last; c += kBlock) {
              factors.clear();
              for (std::int64_t tap = 0; tap < taps; ++tap) {
                const std::int64_t reader = readers_[static_cast<std::size_t>(pixel * taps + tap)];
                if (reader < 0) continue;
                factors.push_back({left + reader * all_clips_ * all_out_ + clip * kBlock,
                                   right + (tap * all_in_ + c) * all_out_});
              }
              multiply(factors, all_out_, steps, dsigns + clip * width + c - first, width, false);
            }
          }
          pass(pixel, first, std::min(last, in_) - first, dsigns, width, dx);
        }
      }
    });
  }

  // dkernel [tap][in, out] = sum over output pixels of signs [source][in, clips] x dy [clips, out].
  void kernel_gradient(float* dkernel) const {
    const Scratch<Bf16> signs =
        each_padded(in_pixels_, clips_ * in_, all_clips_ * all_in_, [&](std::int64_t pixel, Bf16* to) {
          const float* const x = x_ + pixel * clips_ * in_;
          for (std::int64_t clip = 0; clip < clips_; clip += kBlock)
            sign_columns(x + clip * in_, std::min(kBlock, clips_ - clip), in_, to + clip * all_in_, kBlock);
        });
    const Scratch<Bf16> gradients =
        each_padded(out_pixels_, clips_ * out_, all_clips_ * all_out_, [&](std::int64_t pixel, Bf16* to) {
          make_right(dy_ + pixel * clips_ * out_, clips_, out_, all_clips_, to);
        });
    const Bf16* const left = signs.data();
    const Bf16* const right = gradients.data();
    const std::int64_t taps = window_.taps();
    const bool fits = all_in_ == in_ && all_out_ == out_;
    const Scratch<float> wide = fits ? Scratch<float>() : Scratch<float>(taps * all_in_ * all_out_);
    float* const sums = fits ? dkernel : wide.data();
    const std::int64_t across = all_out_ / kBlock;
    const std::int64_t down = all_in_ / kBlock;
    // Pixels whose signs and gradients stay near while all sums take from them.
    const std::int64_t size = all_clips_ * (all_in_ + all_out_) * static_cast<std::int64_t>(sizeof(Bf16));
    const std::int64_t most = std::max<std::int64_t>(1, 2 * kNear / size);
    const Steps steps{all_in_ * kBlock, all_clips_ * kSide};
    at::parallel_for(0, taps * down * across, 1, [&](std::int64_t begin, std::int64_t end) {
      const TileSetting setting;
      std::vector<Factors> factors;
      for (std::int64_t first = 0; first < out_pixels_; first += most) {
        const std::int64_t last = std::min(first + most, out_pixels_);
        for (std::int64_t block = begin; block < end; ++block) {
          const std::int64_t tap = block / (down * across);
          const std::int64_t row = block / across % down * kBlock;
          const std::int64_t column = block % across * kBlock;
          factors.clear();
          for (std::int64_t pixel = first; pixel < last; ++pixel) {
            const std::int64_t source = sources_[static_cast<std::size_t>(pixel * taps + tap)];
            if (source < 0) continue;
            factors.push_back({left + source * all_clips_ * all_in_ + row * kBlock,
                               right + (pixel * all_out_ + column) * all_clips_});
          }
          multiply(factors, all_clips_, steps, sums + (tap * all_in_ + row) * all_out_ + column, all_out_,
                   first > 0);
        }
      }
    });
    if (fits) return;
    for (std::int64_t tap = 0; tap < taps; ++tap)
      for (std::int64_t c = 0; c < in_; ++c)
        std::copy_n(sums + (tap * all_in_ + c) * all_out_, out_, dkernel + (tap * in_ + c) * out_);
  }

 private:
  // `count` matrices, each as make(index, to) writes it, of `used` numbers with zeros around them in `size`.
  template <class Make>
  static Scratch<Bf16> each_padded(std::int64_t count, std::int64_t used, std::int64_t size,
                                   const Make& make) {
    Scratch<Bf16> result(count * size);
    Bf16* const matrices = result.data();
    at::parallel_for(0, count, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t index = begin; index < end; ++index) {
        Bf16* const to = matrices + index * size;
        if (used != size) std::fill_n(to, size, Bf16{0});
        make(index, to);
      }
    });
    return result;
  }

  // `count` channels from `first` on, through the quantizer.
  void pass(std::int64_t pixel, std::int64_t first, std::int64_t count, const float* dsigns,
            std::int64_t width, float* dx) const {
    const std::int64_t at = pixel * clips_ * in_ + first;
    if (count == in_ && width == in_) {
      pass_signs(convolution_, x_ + at, dsigns, dx + at, clips_ * in_);
      return;
    }
    for (std::int64_t clip = 0; clip < clips_; ++clip)
      pass_signs(convolution_, x_ + at + clip * in_, dsigns + clip * width, dx + at + clip * in_, count);
  }

  const graph::BinaryConv2d& convolution_;
  SlidingWindow window_;
  const float* x_;
  const float* kernel_;
  const float* dy_;
  std::int64_t clips_;
  std::int64_t in_;
  std::int64_t out_;
  std::int64_t in_pixels_;
  std::int64_t out_pixels_;
  std::int64_t all_clips_;  // with padding
  std::int64_t all_in_;
  std::int64_t all_out_;
  std::vector<std::int64_t> readers_;  // [input pixel, tap]: the output pixel that reads it, or -1
  std::vector<std::int64_t> sources_;  // [output pixel, tap]: the input pixel that it reads, or -1
};

}  // namespace

BinaryGradients tile_gradients(const at::Tensor& x, const at::Tensor& kernel, const at::Tensor& dy,
                               const graph::BinaryConv2d& convolution) {
  const Backward backward(x, kernel, dy, convolution);
  BinaryGradients result{at::empty_like(x, at::TensorOptions().requires_grad(false)),
                         at::empty_like(kernel, at::TensorOptions().requires_grad(false))};
  backward.input_gradient(result.input.data_ptr<float>());
  backward.kernel_gradient(result.kernel.data_ptr<float>());
  add_padding_gradient(convolution, backward.window(), dy, result.kernel);
  return result;
}

#else

bool has_tiles() { return false; }
BinaryGradients tile_gradients(const at::Tensor&, const at::Tensor&, const at::Tensor&,
                               const graph::BinaryConv2d&) {
  TORCH_CHECK(false, "this build knows no tiles");
}

#endif

}  // namespace bittern::training
