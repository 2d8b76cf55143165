#include "runtime/execute.h"

#include <algorithm>
#include <chrono>

namespace bittern::runtime {
namespace {

using Clock = std::chrono::steady_clock;

Clock::time_point now_if(bool wanted) { return wanted ? Clock::now() : Clock::time_point(); }

std::int64_t nanoseconds_since(Clock::time_point start) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - start).count();
}

}  // namespace

void Executor::reserve(int steps) { done_.resize(std::max(done_.size(), static_cast<std::size_t>(steps))); }

void Executor::start(const Plan& plan, std::byte* arena) noexcept {
  plan_ = &plan;
  arena_ = arena;
  trace_ = {};
}

template <class T>
kernels::View<T> Executor::view(const Place& place) noexcept {
  if (!place) return {};
  const Buffer& buffer = plan_->buffers[static_cast<std::size_t>(place.buffer)];
  kernels::View<T> view = kernels::dense_view(reinterpret_cast<T*>(arena_ + buffer.offset), buffer.time,
                                              buffer.frequency, buffer.width);
  if (buffer.rows < buffer.time) view.ring = buffer.rows;
  return kernels::channels_of(view, place.channel, place.channels);
}

std::span<float> Executor::row_of(const Place& place) noexcept {
  const kernels::View<float> row = view<float>(place);
  return {row.data, static_cast<std::size_t>(row.time) * static_cast<std::size_t>(row.frequency) *
                        static_cast<std::size_t>(row.channels)};
}

std::span<float> Executor::features() noexcept { return row_of(plan_->input); }
std::span<float> Executor::front_end() noexcept { return row_of(plan_->front_end); }
std::span<float> Executor::window() noexcept { return row_of(plan_->window); }
std::span<float> Executor::logits() noexcept { return row_of(plan_->logits); }
std::span<float> Executor::logits(int stage) noexcept {
  const auto classes = static_cast<std::size_t>(plan_->classes);
  return logits().subspan(static_cast<std::size_t>(stage) * classes, classes);
}
std::span<float> Executor::probabilities() noexcept { return row_of(plan_->probabilities); }

kernels::View<const float> Executor::tensor(int stage) noexcept {
  return view<float>(plan_->stages[static_cast<std::size_t>(stage)].exit.tensor);
}

void Executor::run_stage(int stage) noexcept {
  const Stage& work = plan_->stages[static_cast<std::size_t>(stage)];
  for (int g = work.first_group; g < work.end_group; ++g) {
    run_group(plan_->groups[static_cast<std::size_t>(g)]);
  }
  const auto start = now_if(!times_.empty());
  run_exit(work.exit, logits(stage));
  if (!times_.empty()) times_[static_cast<std::size_t>(work.exit.index)] += nanoseconds_since(start);
  ++trace_.stages;
}

void Executor::run_group(const Group& group) noexcept {
  const int last = static_cast<int>(group.steps.size()) - 1;
  const int rows = group.steps.back().rows;
  std::fill_n(done_.begin(), group.steps.size(), 0);
  for (int row = 0; row < rows; row += group.tile) advance(group, last, std::min(row + group.tile, rows));
  trace_.steps += last + 1;
}

void Executor::advance(const Group& group, int step, int end) noexcept {
  const auto index = static_cast<std::size_t>(step);
  const int begin = done_[index];
  if (begin >= end) return;
  if (step > 0) advance(group, step - 1, group.steps[index].input_rows_for(end));
  run_watched(group.steps[index], begin, end);
  done_[index] = end;
}

void Executor::run_watched(const Step& step, int first_row, int last_row) noexcept {
  const auto start = now_if(!times_.empty());
  run_step(step, first_row, last_row);
  if (!times_.empty()) times_[static_cast<std::size_t>(step.index)] += nanoseconds_since(start);
}

kernels::Epilogue Executor::epilogue(const Epilogue& plan) noexcept {
  return {.scale = plan.scale,
          .bias = plan.bias,
          .relu = plan.relu,
          .norm_scale = plan.norm_scale,
          .norm_bias = plan.norm_bias,
          .residual = view<float>(plan.residual),
          .final_relu = plan.final_relu,
          .slope = plan.slope,
          .signs = view<std::uint64_t>(plan.signs),
          .sign_scale = plan.sign_scale,
          .sign_bias = plan.sign_bias};
}

void Executor::run_step(const Step& step, int first_row, int last_row) noexcept {
  struct Run {
    Executor& executor;
    const Step& step;
    int first;
    int last;

    const kernels::KernelTable& kernels() const { return *executor.kernels_; }
    kernels::View<float> input() const { return executor.view<float>(step.input); }
    kernels::View<float> output() const { return executor.view<float>(step.output); }

    void operator()(const PackStep& op) const {
      kernels().pack_signs(input(), op.scale, op.bias, executor.view<std::uint64_t>(step.output), first,
                           last);
    }
    void operator()(const BinaryConvStep& op) const {
      kernels().binary_conv2d(op.shape, executor.view<std::uint64_t>(step.input), op.kernel,
                              op.tap_bits.get(), executor.epilogue(op.epilogue), output(), first, last);
    }
    void operator()(const ConvStep& op) const {
      kernels().conv2d(op.shape, input(), op.kernel, executor.epilogue(op.epilogue), output(), first, last);
    }
    void operator()(const Int8ConvStep& op) const {
      kernels().conv2d_int8(op.shape, input(), op.kernel, executor.epilogue(op.epilogue), output(), first,
                            last);
    }
    void operator()(const PoolStep& op) const {
      kernels::Pool* const pool = op.pooling == Pooling::kAverage         ? kernels().avg_pool
                                  : op.pooling == Pooling::kLargestOrZero ? kernels().relu_max_pool
                                                                          : kernels().max_pool;
      pool(op.window, input(), output(), first, last);
    }
    void operator()(const AffineStep& op) const {
      kernels().affine(input(), op.scale, op.bias, output(), first, last);
    }
    void operator()(const ReluStep&) const { kernels().relu(input(), output(), first, last); }
    void operator()(const PreluStep& op) const { kernels().prelu(input(), op.slope, output(), first, last); }
    void operator()(const AddStep& op) const {
      kernels().add(input(), executor.view<float>(op.second), output(), first, last);
    }
    void operator()(const CopyStep&) const { kernels().copy(input(), output(), first, last); }
  };
  std::visit(Run{*this, step, first_row, last_row}, step.operation);
  trace_.macs += step.macs_per_row * (last_row - first_row);
}

void Executor::run_exit(const ExitStep& exit, std::span<float> output) noexcept {
  const std::span<float> means = row_of(exit.means);
  auto* const mean = exit.global ? kernels_->mean_global : kernels_->mean_time;
  mean(view<float>(exit.tensor), exit.relu, exit.norm_before ? exit.norm_scale : nullptr,
       exit.norm_before ? exit.norm_bias : nullptr, means.data());
  if (exit.norm_after) {
    const auto inputs = kernels::dense_view(means.data(), 1, 1, exit.inputs);
    kernels_->affine(inputs, exit.norm_scale, exit.norm_bias, inputs, 0, 1);
  }
  switch (exit.dense) {
    case graph::ExitDense::kBinary:
      kernels_->dense_binary(means.data(), exit.inputs, exit.bits, exit.scale, exit.bias, exit.classes,
                             output.data());
      break;
    case graph::ExitDense::kInt8:
      kernels_->dense_int8(means.data(), exit.inputs, exit.int8_kernel, exit.scale, exit.bias, exit.classes,
                           output.data());
      break;
    case graph::ExitDense::kFloat:
      kernels_->dense_float(means.data(), exit.inputs, exit.kernel, exit.bias, exit.classes, output.data());
      break;
  }
  ++trace_.steps;
}

}  // namespace bittern::runtime
