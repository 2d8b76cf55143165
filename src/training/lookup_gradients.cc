#include "training/lookup_gradients.h"

#include <algorithm>
#include <vector>

#include "training/gradient_parts.h"
#include "training/lookup_product.h"
#include "training/scratch.h"
#include "training/sliding_window.h"
#include "training/torch.h"

namespace bittern::training {
namespace {

constexpr std::int64_t kRows = LookupBlocks::kRows;
constexpr std::int64_t kLanes = LookupBlocks::kLanes;

// Asks for the lines of rows of floats; past the end of memory, too, it does no harm.
void fetch(const float* from, std::int64_t rows, std::int64_t stride, std::int64_t columns) {
  constexpr std::int64_t kLine = 16;
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < columns; c += kLine) __builtin_prefetch(from + r * stride + c);
}

class Backward {
 public:
  Backward(const at::Tensor& x, const at::Tensor& kernel, const at::Tensor& dy,
           const graph::BinaryConv2d& convolution)
      : convolution_(convolution),
        window_(window_of(x, convolution)),
        x_(x.data_ptr<float>()),
        kernel_(kernel.data_ptr<float>()),
        dy_(dy.data_ptr<float>()),
        in_time_(x.size(0)),
        in_frequency_(x.size(1)),
        clips_(x.size(2)),
        in_(x.size(3)),
        out_(dy.size(3)),
        vectors_((in_ + kLanes - 1) / kLanes) {}

  // dx as x; dkernel: [taps, in, out], all of it written.
  void run(float* dx, float* dkernel) const {
    const LookupBlocks along_clips(clips_);
    const std::int64_t size = along_clips.codes_size();
    const std::int64_t pixels = in_time_ * in_frequency_;
    const Scratch<LaneBits> inside(pixels * clips_ * vectors_);
    {
      const Scratch<std::uint16_t> codes(pixels * vectors_ * size);
      at::parallel_for(0, pixels, 1, [&](std::int64_t begin, std::int64_t end) {
        std::vector<LaneBits> signs(static_cast<std::size_t>(clips_ * vectors_));
        for (std::int64_t pixel = begin; pixel < end; ++pixel) {
          for (std::int64_t i = 0; i < clips_; ++i)
            look_at(x_ + (pixel * clips_ + i) * in_, in_, convolution_.input_clip,
                    signs.data() + i * vectors_, inside.data() + (pixel * clips_ + i) * vectors_);
          for (std::int64_t v = 0; v < vectors_; ++v)
            column_codes(along_clips, signs.data() + v, vectors_,
                         codes.data() + (pixel * vectors_ + v) * size);
        }
      });
      kernel_gradient(along_clips, codes.data(), dkernel);
    }
    input_gradient(inside.data(), dx);
  }

  const SlidingWindow& window() const { return window_; }

 private:
  // Vectors of input channels whose sums are made together, at most. With more of them tables are made less
  // often, with fewer the sums stay nearer to the core.
  static constexpr std::int64_t kChunk = 8;
  // Output channels of which a kernel's gradient is made together: a line of the cache.
  static constexpr std::int64_t kTile = 16;
  // Floats that stay in a cache until the next operation reads them.
  static constexpr std::int64_t kCached = std::int64_t{1} << 20;
  // Blocks whose tables fit the first cache.
  static constexpr int kNearBlocks = 4;

  void kernel_gradient(const LookupBlocks& shape, const std::uint16_t* codes, float* dkernel) const {
    const std::int64_t tiles = (out_ + kTile - 1) / kTile;
    const std::int64_t chunk = chunk_for(tiles);
    const std::int64_t chunks = (vectors_ + chunk - 1) / chunk;
    at::parallel_for(0, tiles * chunks, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i)
        kernel_tile(shape, codes, i / chunks * kTile, i % chunks * chunk, chunk, dkernel);
    });
  }

  void input_gradient(const LaneBits* inside, float* dx) const {
    const LookupBlocks shape(out_);
    const std::int64_t size = shape.codes_size();
    const Scratch<std::uint16_t> codes(window_.taps() * vectors_ * size);
    at::parallel_for(0, window_.taps() * vectors_, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const std::int64_t channel = i % vectors_ * kLanes;
        row_codes(shape, kernel_ + (i / vectors_ * in_ + channel) * out_, out_, channels_from(channel),
                  codes.data() + i * size);
      }
    });
    const std::int64_t tiles = (clips_ + kRows - 1) / kRows;
    const std::int64_t chunk = chunk_for(tiles);
    const std::int64_t chunks = (vectors_ + chunk - 1) / chunk;
    at::parallel_for(0, tiles * chunks, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i)
        input_tile(shape, codes.data(), i / chunks * kRows, i % chunks * chunk, chunk, inside, dx);
    });
  }

  // Fewer vectors where there would be less work than threads. No sum depends on it.
  std::int64_t chunk_for(std::int64_t tiles) const {
    std::int64_t chunk = std::min(kChunk, vectors_);
    while (chunk > 1 && tiles * ((vectors_ + chunk - 1) / chunk) < at::get_num_threads())
      chunk = (chunk + 1) / 2;
    return chunk;
  }

  int channels_from(std::int64_t channel) const { return static_cast<int>(std::min(kLanes, in_ - channel)); }

  // dx of kRows clips and `chunk` vectors of channels. Every output pixel adds to the signs' gradients of the
  // pixels it reads. These stand in a ring of as many rows as are at work at a time.
  void input_tile(const LookupBlocks& shape, const std::uint16_t* codes, std::int64_t clip,
                  std::int64_t vector, std::int64_t chunk, const LaneBits* inside, float* dx) const {
    const std::int64_t clips = std::min(kRows, clips_ - clip);
    const std::int64_t vectors = std::min(chunk, vectors_ - vector);
    const std::int64_t stride = vectors * kLanes;
    const std::int64_t ring_rows = window_.kernel().time + window_.stride().time;
    const std::int64_t row_size = in_frequency_ * kRows * stride;
    const Scratch<float> ring_memory(ring_rows * row_size);
    const Scratch<std::int16_t> tables_memory(shape.tables_size());
    float* const ring = ring_memory.data();
    std::int16_t* const tables = tables_memory.data();
    std::vector<float> scales(static_cast<std::size_t>(shape.scales_size()));
    std::fill_n(tables, shape.tables_size(), std::int16_t{0});
    std::vector<LookupVector> work;
    std::int64_t zeroed = 0;
    std::int64_t done = 0;
    const auto begin_rows = [&](std::int64_t end) {
      for (; zeroed < std::min(end, in_time_); ++zeroed)
        std::fill_n(ring + zeroed % ring_rows * row_size, row_size, 0.0F);
    };
    const auto finish_rows = [&](std::int64_t end) {
      for (; done < std::min(end, in_time_); ++done) {
        begin_rows(done + 1);
        pass_row(done, clip, clips, vector, ring + done % ring_rows * row_size, stride, inside, dx);
      }
    };
    for (int row = 0; row < window_.out_time(); ++row) {
      const std::int64_t first = std::int64_t{row} * window_.stride().time - window_.time_padding().before;
      finish_rows(first);
      begin_rows(first + window_.kernel().time);
      for (int column = 0; column < window_.out_frequency(); ++column) {
        const float* const gradient =
            dy_ + ((std::int64_t{row} * window_.out_frequency() + column) * clips_ + clip) * out_;
        build_tables(shape, gradient, out_, static_cast<int>(clips), tables, scales.data());
        // The next pixel's lie where no processor expects them.
        fetch(gradient + clips_ * out_, 1, 0, clips * out_);
        work.clear();
        for (int tap = 0; tap < window_.taps(); ++tap) {
          const std::int64_t pixel = window_.input_pixel(row, column, tap);
          if (pixel < 0) continue;
          float* const to =
              ring + pixel / in_frequency_ % ring_rows * row_size + pixel % in_frequency_ * kRows * stride;
          for (std::int64_t v = 0; v < vectors; ++v)
            work.push_back({codes + (tap * vectors_ + vector + v) * shape.codes_size(), to + v * kLanes});
        }
        add_all(shape, tables, scales.data(), work, stride);
      }
    }
    finish_rows(in_time_);
    finish_stores();
  }

  // From a row of signs' gradients [frequency, kRows, stride] to the inputs'.
  void pass_row(std::int64_t row, std::int64_t clip, std::int64_t clips, std::int64_t vector,
                const float* dsigns, std::int64_t stride, const LaneBits* inside, float* dx) const {
    const std::int64_t channels = std::min(stride, in_ - vector * kLanes);
    const bool past = in_time_ * in_frequency_ * clips_ * in_ > kCached;
    for (std::int64_t column = 0; column < in_frequency_; ++column, dsigns += kRows * stride) {
      const std::int64_t first = (row * in_frequency_ + column) * clips_ + clip;
      for (std::int64_t i = 0; i < clips; ++i) {
        const std::int64_t at = (first + i) * in_ + vector * kLanes;
        const float* const from = dsigns + i * stride;
        if (convolution_.input_quantizer == graph::Quantizer::kApproxSign) {
          pass_signs(convolution_, x_ + at, from, dx + at, channels);
        } else {
          keep_inside(from, inside + (first + i) * vectors_ + vector, channels, past, dx + at);
        }
      }
    }
  }

  void kernel_tile(const LookupBlocks& shape, const std::uint16_t* codes, std::int64_t out,
                   std::int64_t vector, std::int64_t chunk, float* dkernel) const {
    const std::int64_t outs = std::min(kTile, out_ - out);
    const std::int64_t vectors = std::min(chunk, vectors_ - vector);
    const std::int64_t width = window_.taps() * vectors * kLanes;
    const Scratch<float> sums_memory(kTile * width);
    const Scratch<std::int16_t> tables_memory(shape.tables_size());
    float* const sums = sums_memory.data();  // [out, taps, channels]
    std::int16_t* const tables = tables_memory.data();
    std::fill_n(sums, kTile * width, 0.0F);
    std::vector<float> scales(static_cast<std::size_t>(shape.scales_size()));
    std::vector<float> columns(static_cast<std::size_t>(kTile * clips_));
    std::vector<LookupVector> work;
    for (int row = 0; row < window_.out_time(); ++row) {
      for (int column = 0; column < window_.out_frequency(); ++column) {
        const std::int64_t pixel = std::int64_t{row} * window_.out_frequency() + column;
        const float* const gradient = dy_ + pixel * clips_ * out_ + out;
        turn(gradient, out_, clips_, outs, columns.data(), clips_);
        fetch(gradient + clips_ * out_, clips_, out_, outs);
        for (std::int64_t first = 0; first < outs; first += kRows) {
          build_tables(shape, columns.data() + first * clips_, clips_, kRows, tables, scales.data());
          work.clear();
          for (int tap = 0; tap < window_.taps(); ++tap) {
            const std::int64_t from = window_.input_pixel(row, column, tap);
            if (from < 0) continue;
            for (std::int64_t v = 0; v < vectors; ++v)
              work.push_back({codes + (from * vectors_ + vector + v) * shape.codes_size(),
                              sums + first * width + (tap * vectors + v) * kLanes});
          }
          add_all(shape, tables, scales.data(), work, width);
        }
      }
    }
    const std::int64_t channels = std::min(vectors * kLanes, in_ - vector * kLanes);
    for (std::int64_t tap = 0; tap < window_.taps(); ++tap)
      turn(sums + tap * vectors * kLanes, width, outs, channels,
           dkernel + (tap * in_ + vector * kLanes) * out_ + out, out_);
  }

  static void add_all(const LookupBlocks& shape, const std::int16_t* tables, const float* scales,
                      const std::vector<LookupVector>& work, std::int64_t stride) {
    for (int first = 0; first < shape.blocks; first += kNearBlocks)
      add_lookups(shape, first, std::min(first + kNearBlocks, shape.blocks), tables, scales, work.data(),
                  static_cast<std::int64_t>(work.size()), stride);
  }

  const graph::BinaryConv2d& convolution_;
  SlidingWindow window_;
  const float* x_;
  const float* kernel_;
  const float* dy_;
  std::int64_t in_time_;
  std::int64_t in_frequency_;
  std::int64_t clips_;
  std::int64_t in_;
  std::int64_t out_;
  std::int64_t vectors_;  // of input channels
};

}  // namespace

BinaryGradients lookup_gradients(const at::Tensor& x, const at::Tensor& kernel, const at::Tensor& dy,
                                 const graph::BinaryConv2d& convolution) {
  const Backward backward(x, kernel, dy, convolution);
  BinaryGradients result{at::empty_like(x, at::TensorOptions().requires_grad(false)),
                         at::empty_like(kernel, at::TensorOptions().requires_grad(false))};
  backward.run(result.input.data_ptr<float>(), result.kernel.data_ptr<float>());
  add_padding_gradient(convolution, backward.window(), dy, result.kernel);
  return result;
}

}  // namespace bittern::training
