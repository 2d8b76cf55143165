#include "runtime/plan.h"

#include <algorithm>

#include "core/aligned.h"

namespace bittern::runtime {
namespace {

std::size_t bytes_of_rows(const Buffer& buffer, int rows) {
  const std::size_t size = buffer.element == Element::kFloat ? sizeof(float) : sizeof(std::uint64_t);
  return align_up(static_cast<std::size_t>(rows) * static_cast<std::size_t>(buffer.frequency) *
                  static_cast<std::size_t>(buffer.width) * size);
}

}  // namespace

std::size_t Buffer::bytes() const { return bytes_of_rows(*this, rows); }
std::size_t Buffer::full_bytes() const { return bytes_of_rows(*this, time); }

int Step::first_input_row(int row) const { return std::max(row * stride - pad, 0); }

int Step::input_rows_for(int end) const {
  if (end <= 0) return 0;
  return std::clamp((end - 1) * stride - pad + kernel, 0, input_rows);
}

int Plan::steps_to(int exit) const {
  const Stage& stage = stages[static_cast<std::size_t>(exit) - 1];
  int steps = exit;
  for (int g = 0; g < stage.end_group; ++g) {
    steps += static_cast<int>(groups[static_cast<std::size_t>(g)].steps.size());
  }
  return steps;
}

Epilogue* epilogue_of(Step& step) {
  if (auto* conv = std::get_if<ConvStep>(&step.operation)) return &conv->epilogue;
  if (auto* conv = std::get_if<BinaryConvStep>(&step.operation)) return &conv->epilogue;
  if (auto* conv = std::get_if<Int8ConvStep>(&step.operation)) return &conv->epilogue;
  return nullptr;
}

const Epilogue* epilogue_of(const Step& step) { return epilogue_of(const_cast<Step&>(step)); }

std::string_view kernel_of(const Step& step) {
  struct Name {
    std::string_view operator()(const PackStep&) const { return "pack_signs"; }
    std::string_view operator()(const BinaryConvStep&) const { return "binary_conv2d"; }
    std::string_view operator()(const ConvStep&) const { return "conv2d"; }
    std::string_view operator()(const Int8ConvStep&) const { return "conv2d_int8"; }
    std::string_view operator()(const PoolStep& op) const {
      return op.pooling == Pooling::kAverage         ? "avg_pool"
             : op.pooling == Pooling::kLargestOrZero ? "relu_max_pool"
                                                     : "max_pool";
    }
    std::string_view operator()(const AffineStep&) const { return "affine"; }
    std::string_view operator()(const ReluStep&) const { return "relu"; }
    std::string_view operator()(const PreluStep&) const { return "prelu"; }
    std::string_view operator()(const AddStep&) const { return "add"; }
    std::string_view operator()(const CopyStep&) const { return "copy"; }
  };
  return std::visit(Name{}, step.operation);
}

}  // namespace bittern::runtime
