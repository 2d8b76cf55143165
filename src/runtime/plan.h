// A model lowered for one length of input: a list of steps in groups, cut into stages at the exits, and where
// in one arena every tensor lies. Made once by lower(), then only read. docs/runtime.md draws it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "graph/counts.h"
#include "kernels/binary_conv2d.h"
#include "kernels/conv2d.h"
#include "kernels/conv2d_int8.h"
#include "kernels/window.h"

namespace bittern::runtime {

enum class Element : std::uint8_t { kFloat, kWord };  // 4 bytes; 8 bytes of sign bits (core/bits.h)

// A tensor's memory: [rows, frequency, width] elements at byte `offset` of the arena, 64-byte aligned.
struct Buffer {
  std::string name;  // what is written there
  Element element = Element::kFloat;
  int time = 0;        // rows of the tensor
  int rows = 0;        // rows of memory; fewer than `time`: a ring, row t lies in slot t % rows
  int frequency = 0;   // pixels per row
  int width = 0;       // elements per pixel
  int first_use = -1;  // positions in the plan (Group::position), both inclusive; -1: never used
  int last_use = -1;
  std::size_t offset = 0;

  bool used() const { return first_use >= 0; }
  std::size_t bytes() const;       // of memory, rounded up to the alignment
  std::size_t full_bytes() const;  // what it would be if all rows were kept
};

// Elements [channel, channel + channels) of every pixel of a buffer: a tensor, or one slot of a concat.
struct Place {
  int buffer = -1;
  int channel = 0;
  int channels = 0;
  explicit operator bool() const { return buffer >= 0; }
  bool operator==(const Place&) const = default;
  bool overlaps(const Place& other) const {
    return buffer == other.buffer && channel < other.channel + other.channels &&
           other.channel < channel + channels;
  }
};

// kernels::Epilogue with a place for the residual.
struct Epilogue {
  const float* scale = nullptr;
  const float* bias = nullptr;
  bool relu = false;
  const float* norm_scale = nullptr;
  const float* norm_bias = nullptr;
  Place residual{};
  bool final_relu = false;
  const float* slope = nullptr;
  Place signs{};  // where the next reader binarises
  const float* sign_scale = nullptr;
  const float* sign_bias = nullptr;
};

struct PackStep {  // signs of input, or of input * scale + bias
  const float* scale = nullptr;
  const float* bias = nullptr;
};
struct BinaryConvStep {
  kernels::BinaryConv2dShape shape;
  const std::uint64_t* kernel = nullptr;
  std::shared_ptr<const std::int16_t[]> tap_bits;  // of the kernel, where padding is +1 (core/bits.h)
  Epilogue epilogue;
};
struct ConvStep {
  kernels::Conv2dShape shape;
  const float* kernel = nullptr;
  Epilogue epilogue;
};
struct Int8ConvStep {
  kernels::Int8Conv2dShape shape;
  const std::int8_t* kernel = nullptr;
  Epilogue epilogue;
};
enum class Pooling : std::uint8_t { kLargest, kLargestOrZero, kAverage };
struct PoolStep {
  kernels::Window window;
  Pooling pooling = Pooling::kLargest;
};
struct AffineStep {
  const float* scale = nullptr;
  const float* bias = nullptr;
};
struct ReluStep {};
struct PreluStep {
  const float* slope = nullptr;
};
struct AddStep {  // output = input + second
  Place second;
};
struct CopyStep {};

using Operation = std::variant<PackStep, BinaryConvStep, ConvStep, Int8ConvStep, PoolStep, AffineStep,
                               ReluStep, PreluStep, AddStep, CopyStep>;

// One call of a kernel, for any range of output rows.
struct Step {
  int index = 0;     // among all steps of the plan, exits included
  std::string name;  // the layers it computes, such as "s1.b1.conv + s1.b1.relu + s1.b1.bn + s1.b1"
  Operation operation;
  Place input;
  Place output;
  int input_rows = 0;
  int rows = 0;  // of the output
  // Output row t reads input rows t * stride - pad + [0, kernel).
  int kernel = 1;
  int stride = 1;
  int pad = 0;
  graph::Macs macs_per_row;

  // The first input row that output row `row` reads.
  int first_input_row(int row) const;
  // How many input rows must be there for output rows [0, end).
  int input_rows_for(int end) const;
};

// Steps run in turn, `tile` output rows of the last one at a time: each step only makes the rows that the
// next one needs by then, and what lies between two steps is a ring.
struct Group {
  int position = 0;
  int tile = 0;
  std::vector<Step> steps;
};

// [relu] -> [norm] -> mean -> [norm] -> dense.
struct ExitStep {
  int index = 0;  // as Step::index
  std::string name;
  std::string layer;  // that it reads
  int position = 0;
  Place tensor{};
  int rows = 0;
  int frequency = 0;
  bool relu = false;
  bool norm_before = false;
  bool norm_after = false;
  bool global = false;
  graph::ExitDense dense = graph::ExitDense::kBinary;
  int inputs = 0;  // of the dense layer
  int classes = 0;
  const float* norm_scale = nullptr;
  const float* norm_bias = nullptr;
  const std::uint64_t* bits = nullptr;
  const std::int8_t* int8_kernel = nullptr;
  const float* kernel = nullptr;
  const float* scale = nullptr;
  const float* bias = nullptr;
  Place means{};  // scratch: [inputs]
};

// Groups [first_group, end_group), then an exit.
struct Stage {
  int first_group = 0;
  int end_group = 0;
  ExitStep exit;
  graph::ExitCounts counts;
};

struct Plan {
  int frames = 0;
  std::vector<Buffer> buffers;
  std::vector<Group> groups;
  std::vector<Stage> stages;
  Place input;          // features [frames, mel bins]
  Place front_end;      // working memory of the front end, and
  Place window;         // a clip with silence around it: one row each, gone when stage 0 runs
  Place logits;         // [exits][classes] of one row
  Place probabilities;  // [classes] of one row
  int classes = 0;
  int longest_group = 0;
  int step_count = 0;  // exits included
  std::size_t arena_bytes = 0;

  // Steps up to and with exit `exit` (from 1), the exits themselves counted as one each.
  int steps_to(int exit) const;
};

// A convolution's; null for other steps.
Epilogue* epilogue_of(Step& step);
const Epilogue* epilogue_of(const Step& step);

// Which kernel a step calls: "binary_conv2d", "conv2d", "pack_signs", ...
std::string_view kernel_of(const Step& step);

}  // namespace bittern::runtime
