// Runs a plan's stages on an arena.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "kernels/kernels.h"
#include "kernels/view.h"
#include "runtime/plan.h"
#include "runtime/session.h"

namespace bittern::runtime {

// Allocates in reserve() only. Kernels and arena are the caller's and must outlive it.
class Executor {
 public:
  explicit Executor(const kernels::KernelTable& kernels) : kernels_(&kernels) {}

  // Room for plans whose longest group has `steps` steps.
  void reserve(int steps);

  // Everything below works on this plan, in this arena of at least plan.arena_bytes bytes, 64-byte aligned,
  // and counts from zero again.
  void start(const Plan& plan, std::byte* arena) noexcept;

  std::span<float> features() noexcept;         // [frames, mel bins], to be filled before stage 0 runs
  std::span<float> front_end() noexcept;        // for filling them: LowerOptions::front_end_floats, and
  std::span<float> window() noexcept;           // window_samples; none where the plan was made without
  std::span<float> logits() noexcept;           // [exits, classes]
  std::span<float> logits(int stage) noexcept;  // [classes], valid once the stage has run
  std::span<float> probabilities() noexcept;    // [classes], for the caller's use

  // Adds the nanoseconds of each step to times[step.index], from now on; [plan.step_count], empty: no clock
  // is read.
  void watch(std::span<std::int64_t> times) noexcept { times_ = times; }

  // Runs stage `stage`, from 0, after all before it.
  void run_stage(int stage) noexcept;

  // What stage's exit reads; valid until the next stage runs.
  kernels::View<const float> tensor(int stage) noexcept;

  const Trace& trace() const { return trace_; }

 private:
  template <class T>
  kernels::View<T> view(const Place& place) noexcept;
  std::span<float> row_of(const Place& place) noexcept;
  kernels::Epilogue epilogue(const Epilogue& plan) noexcept;

  void run_group(const Group& group) noexcept;
  void advance(const Group& group, int step, int end) noexcept;
  void run_watched(const Step& step, int first_row, int last_row) noexcept;
  void run_step(const Step& step, int first_row, int last_row) noexcept;
  void run_exit(const ExitStep& exit, std::span<float> output) noexcept;

  const kernels::KernelTable* kernels_;
  const Plan* plan_ = nullptr;
  std::byte* arena_ = nullptr;
  std::vector<int> done_;  // per step of the running group: output rows made
  std::span<std::int64_t> times_;
  Trace trace_;
};

}  // namespace bittern::runtime
