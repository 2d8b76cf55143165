#include "evaluation/latency.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <span>
#include <string>
#include <utility>

#include "core/aligned.h"
#include "evaluation/timing.h"
#include "exits/rule.h"
#include "features/log_mel.h"
#include "kernels/peak.h"
#include "runtime/execute.h"
#include "runtime/lower.h"
#include "runtime/self_test.h"

namespace bittern::evaluation {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWarmUpRuns = 5;
// Steps of a peak's loop: some ten microseconds.
constexpr std::int64_t kPeakSteps = 4000;

double microseconds(Clock::duration time) { return std::chrono::duration<double, std::micro>(time).count(); }

// One thing measured again and again.
template <class Work>
double time_of(Work&& work) {
  const Clock::time_point start = Clock::now();
  work();
  return microseconds(Clock::now() - start);
}

class Bench {
 public:
  Bench(const model::Model& model, const LatencyOptions& options, runtime::Plan plan,
        features::LogMel front_end)
      : model_(model),
        options_(options),
        plan_(std::move(plan)),
        front_end_(std::move(front_end)),
        samples_(runtime::self_test_audio(model.front_end)),
        features_(static_cast<std::size_t>(plan_.frames) *
                  static_cast<std::size_t>(model.front_end.mel_bins)),
        arena_(plan_.arena_bytes),
        executor_(kernels::kernels(options.isa)),
        cumulative_(plan_.stages.size()),
        stages_(plan_.stages.size()),
        rules_(plan_.stages.size()),
        step_ns_(static_cast<std::size_t>(plan_.step_count)),
        step_runs_(step_ns_.size()) {
    executor_.reserve(plan_.longest_group);
  }

  Expected<Latency> run(const std::function<bool(std::size_t, std::size_t)>& go_on) {
    if (arena_.size() != plan_.arena_bytes)
      return Error{ErrorCode::kOutOfMemory,
                   "no memory for " + std::to_string(plan_.arena_bytes) + " bytes of tensors"};
    BITTERN_ASSIGN_OR_RETURN(policy_, exits::Policy::with_threshold("entropy", 0));  // never leaves
    for (int i = 0; i < kWarmUpRuns; ++i) {
      front_end_.compute(samples_, features_);
      all_stages();
    }
    recording_ = true;
    const auto runs = static_cast<std::size_t>(options_.runs);
    for (std::size_t i = 0; i < runs; ++i) {
      if (go_on && !go_on(i, 2 * runs)) return Error{ErrorCode::kCancelled, "interrupted"};
      front_ends_.push_back(time_of([&] { front_end_.compute(samples_, features_); }));
      all_stages();
      peak(kernels::popcount_peak, binary_rates_);
      peak(kernels::float_peak, float_rates_);
    }
    // Apart, for reading the clock takes time too.
    recording_ = false;
    executor_.watch(step_ns_);
    for (std::size_t i = 0; i < runs; ++i) {
      if (go_on && !go_on(runs + i, 2 * runs)) return Error{ErrorCode::kCancelled, "interrupted"};
      std::ranges::fill(step_ns_, 0);
      all_stages();
      for (std::size_t step = 0; step < step_ns_.size(); ++step)
        step_runs_[step].push_back(static_cast<double>(step_ns_[step]));
    }
    return latency();
  }

 private:
  void all_stages() {
    const Clock::time_point start = Clock::now();
    executor_.start(plan_, arena_.data());
    std::copy(features_.begin(), features_.end(), executor_.features().begin());
    Clock::time_point before = start;
    for (std::size_t s = 0; s < plan_.stages.size(); ++s) {
      executor_.run_stage(static_cast<int>(s));
      const Clock::time_point computed = Clock::now();
      exits::softmax(executor_.logits(static_cast<int>(s)), model_.temperatures[s],
                     executor_.probabilities());
      answers_[s] = exits::answer(executor_.probabilities());
      left_ = left_ || policy_.leave(std::span(answers_).first(s + 1));
      const Clock::time_point end = Clock::now();
      if (recording_) {
        cumulative_[s].push_back(microseconds(end - start));
        stages_[s].push_back(microseconds(end - before));
        rules_[s].push_back(microseconds(end - computed));
      }
      before = end;
    }
  }

  void peak(std::int64_t (*measure)(Isa, std::int64_t, std::uint64_t*), std::vector<double>& rates) {
    std::int64_t macs = 0;
    const double time = time_of([&] { macs = measure(options_.isa, kPeakSteps, &peak_state_); });
    rates.push_back(static_cast<double>(macs) / time * 1e6);
  }

  Latency latency() {
    Latency result;
    result.isa = options_.isa;
    result.runs = options_.runs;
    result.frames = plan_.frames;
    result.front_end_us = quantiles(std::move(front_ends_));
    result.binary_peak = median(std::move(binary_rates_));
    result.float_peak = median(std::move(float_rates_));
    result.arena_bytes = plan_.arena_bytes;
    add_steps(result);
    for (std::size_t s = 0; s < plan_.stages.size(); ++s) {
      const runtime::Stage& stage = plan_.stages[s];
      ExitLatency exit;
      exit.exit = static_cast<int>(s) + 1;
      exit.layer = stage.exit.layer;
      exit.macs = stage.counts.cumulative;
      exit.time_us = quantiles(std::move(cumulative_[s]));
      exit.stage_us = median(std::move(stages_[s]));
      exit.decide_us =
          result.steps[static_cast<std::size_t>(stage.exit.index)].time_us + median(std::move(rules_[s]));
      exit.floor_us = 1e6 * (static_cast<double>(exit.macs.binary) / result.binary_peak +
                             exit.macs.as_float() / result.float_peak);
      exit.floor_share = exit.floor_us / exit.time_us.median;
      result.exits.push_back(std::move(exit));
    }
    return result;
  }

  void add_steps(Latency& result) const {
    const std::vector<StepTime> times = step_times(step_runs_);
    result.steps.resize(times.size());
    const auto fill = [&](int index, StepLatency step) {
      const StepTime& time = times[static_cast<std::size_t>(index)];
      step.time_us = time.time_us;
      step.share = time.share;
      result.steps[static_cast<std::size_t>(index)] = std::move(step);
    };
    for (std::size_t s = 0; s < plan_.stages.size(); ++s) {
      const runtime::Stage& stage = plan_.stages[s];
      const int number = static_cast<int>(s) + 1;
      for (int g = stage.first_group; g < stage.end_group; ++g) {
        for (const runtime::Step& step : plan_.groups[static_cast<std::size_t>(g)].steps) {
          fill(step.index, {.stage = number,
                            .name = step.name,
                            .kernel = runtime::kernel_of(step),
                            .macs = step.macs_per_row * step.rows});
        }
      }
      fill(stage.exit.index, {.stage = number, .name = stage.exit.name, .kernel = "exit", .macs = {}});
    }
  }

  const model::Model& model_;
  const LatencyOptions& options_;
  const runtime::Plan plan_;
  features::LogMel front_end_;
  std::vector<float> samples_;
  std::vector<float> features_;
  AlignedBuffer<std::byte> arena_;
  runtime::Executor executor_;
  exits::Policy policy_;
  std::array<exits::Answer, graph::kMaxExits> answers_{};
  bool left_ = false;
  bool recording_ = false;
  std::uint64_t peak_state_ = 0x243F6A8885A308D3U;
  std::vector<double> front_ends_;
  std::vector<double> binary_rates_;
  std::vector<double> float_rates_;
  std::vector<std::vector<double>> cumulative_;
  std::vector<std::vector<double>> stages_;
  std::vector<std::vector<double>> rules_;
  std::vector<std::int64_t> step_ns_;  // of one run
  std::vector<std::vector<double>> step_runs_;
};

}  // namespace

Quantiles quantiles(std::vector<double> values) {
  const double middle = median(values);
  std::sort(values.begin(), values.end());
  const auto rank = [&values](double share) {
    const auto position = static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())));
    return values[std::clamp<std::size_t>(position, 1, values.size()) - 1];
  };
  return {middle, rank(0.9), rank(0.99)};
}

std::vector<StepTime> step_times(const std::vector<std::vector<double>>& step_ns) {
  std::vector<StepTime> times;
  double total = 0;
  for (const std::vector<double>& runs : step_ns) {
    times.push_back({.time_us = median(runs) / 1e3, .share = 0});
    total += times.back().time_us;
  }
  for (StepTime& time : times) time.share = total > 0 ? time.time_us / total : 0;
  return times;
}

Expected<Latency> measure_latency(const std::shared_ptr<const model::Model>& model,
                                  const LatencyOptions& options,
                                  const std::function<bool(std::size_t, std::size_t)>& go_on) {
  if (options.runs < 1) return invalid_argument("there must be at least one run");
  BITTERN_ASSIGN_OR_RETURN(runtime::Plan plan, runtime::lower(*model, model->front_end.clip_frames()));
  BITTERN_ASSIGN_OR_RETURN(features::LogMel front_end,
                           features::LogMel::create(model->front_end, options.isa));
  return Bench(*model, options, std::move(plan), std::move(front_end)).run(go_on);
}

}  // namespace bittern::evaluation
