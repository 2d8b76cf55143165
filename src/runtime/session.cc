#include "runtime/session.h"

#include <algorithm>
#include <array>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "core/aligned.h"
#include "core/sample.h"
#include "features/log_mel.h"
#include "runtime/arena.h"
#include "runtime/execute.h"
#include "runtime/lower.h"
#include "runtime/segment.h"

namespace bittern::runtime {
namespace {

// How many samples are looked at of a clip of `samples`.
std::int64_t samples_looked_at(const features::LogMelSpec& spec, std::int64_t samples, Segment segment) {
  return segment == Segment::kWhole ? std::max<std::int64_t>(samples, spec.clip_samples) : spec.clip_samples;
}

Expected<int> frames_of(const features::LogMelSpec& spec, std::int64_t samples) {
  // Checked in samples: spec.frames() counts in int.
  const std::int64_t limit =
      spec.frame_length + std::int64_t{spec.hop} * (std::int64_t{graph::kMaxTime} - 1) + spec.hop - 1;
  if (samples > limit) {
    return invalid_argument("a clip of " + std::to_string(samples) + " samples is too long; give at most " +
                            std::to_string(limit) + ", or look at a segment only");
  }
  return spec.frames(samples);
}

Status check_policy(const exits::Policy& policy, int exits) {
  if (policy.rule != nullptr || (policy.exit >= 0 && policy.exit <= exits)) return {};
  return invalid_argument("there is no exit " + std::to_string(policy.exit) + "; give a number from 1 to " +
                          std::to_string(exits));
}

Status check_only(std::span<const std::uint8_t> only, std::size_t classes) {
  if (only.empty()) return {};
  if (only.size() != classes) {
    return invalid_argument("the mask of labels has " + std::to_string(only.size()) +
                            " entries, the model has " + std::to_string(classes) + " labels");
  }
  if (std::all_of(only.begin(), only.end(), [](std::uint8_t x) { return x == 0; })) {
    return invalid_argument("the mask of labels allows none; allow at least one");
  }
  return {};
}

Status check_samples(std::span<const float> samples) {
  const auto position = first_beyond(samples, kMaxSample);
  if (!position) return {};
  const std::string where = "sample " + std::to_string(*position);
  if (first_not_finite(samples.subspan(*position, 1)))
    return invalid_argument(where + " is not a finite number");
  return invalid_argument(where + " is far beyond full scale, -1 to 1; divide 16-bit samples by 32768");
}

// No exception leaves: a plan for a new length allocates.
template <class F>
auto without_exceptions(F&& call) noexcept -> decltype(call()) {
  try {
    return call();
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::kOutOfMemory, "out of memory"};  // short enough to need none
  }
}

}  // namespace

struct Session::State {
  State(std::shared_ptr<const model::Model> shared, const SessionOptions& chosen, features::LogMel log_mel)
      : model(std::move(shared)),
        options(chosen),
        front_end(std::move(log_mel)),
        executor(kernels::kernels(options.isa)) {}

  Expected<Plan> make_plan(int frames);
  Status provide_arena(std::size_t bytes);
  Status prepare(int frames);
  Expected<const Plan*> plan_for(int frames);
  Expected<const Plan*> plan_for_samples(std::size_t samples);

  std::span<std::byte> arena() { return options.arena.empty() ? memory.span() : options.arena; }

  // From samples or features to a started executor with its features in place.
  Status load(std::span<const float> samples);
  Status load_features(std::span<const float> features);
  Status check_output(std::span<const float> output) const;
  Status check_logits(int stage);
  Status run_all(std::span<float> output);
  Status classify(const exits::Policy& policy, Classification& result, std::span<const std::uint8_t> only);

  std::shared_ptr<const model::Model> model;
  SessionOptions options;
  features::LogMel front_end;
  Executor executor;
  AlignedBuffer<std::byte> memory;
  std::size_t needed = 0;
  std::vector<std::unique_ptr<const Plan>> prepared;
  std::vector<std::unique_ptr<const Plan>> kept;  // of lengths that were not prepared, the latest last
  const Plan* plan = nullptr;                     // of the running call, then of the latest
};

Expected<Plan> Session::State::make_plan(int frames) {
  LowerOptions wanted = with_front_end(model->front_end, frames, front_end.work_floats());
  if (!prepared.empty()) wanted.like = prepared.front().get();
  Expected<Plan> made = lower(*model, frames, wanted);
  if (made.ok()) {
    BITTERN_RETURN_IF_ERROR(provide_arena(made->arena_bytes));
    executor.reserve(made->longest_group);
  }
  return made;
}

Status Session::State::provide_arena(std::size_t bytes) {
  if (!options.arena.empty()) {
    if (bytes > options.arena.size()) {
      return invalid_argument("the arena given has " + std::to_string(options.arena.size()) +
                              " bytes; this length needs " + std::to_string(bytes));
    }
  } else if (bytes > memory.size()) {
    // The old one stays until the new one is there: plans that were made need it where memory is short.
    AlignedBuffer<std::byte> larger(bytes);
    if (larger.size() != bytes)
      return Error{ErrorCode::kOutOfMemory, "no memory for an arena of " + std::to_string(bytes) + " bytes"};
    memory = std::move(larger);
  }
  needed = std::max(needed, bytes);
  return {};
}

Status Session::State::prepare(int frames) {
  for (const auto& known : prepared) {
    if (known->frames == frames) return {};
  }
  BITTERN_ASSIGN_OR_RETURN(Plan made, make_plan(frames));
  prepared.push_back(std::make_unique<const Plan>(std::move(made)));
  return {};
}

Expected<const Plan*> Session::State::plan_for(int frames) {
  for (const auto& known : prepared) {
    if (known->frames == frames) return known.get();
  }
  const auto known =
      std::find_if(kept.begin(), kept.end(), [&](const auto& other) { return other->frames == frames; });
  if (known == kept.end()) {
    BITTERN_ASSIGN_OR_RETURN(Plan made, make_plan(frames));
    kept.push_back(std::make_unique<const Plan>(std::move(made)));
    if (kept.size() > kKeptPlans) kept.erase(kept.begin());
  } else {
    std::rotate(known, known + 1, kept.end());
  }
  return kept.back().get();
}

Expected<const Plan*> Session::State::plan_for_samples(std::size_t samples) {
  if (samples == 0) return invalid_argument("the clip has no samples");
  const auto looked_at =
      samples_looked_at(model->front_end, static_cast<std::int64_t>(samples), options.segment);
  BITTERN_ASSIGN_OR_RETURN(const int frames, frames_of(model->front_end, looked_at));
  return plan_for(frames);
}

Status Session::State::load(std::span<const float> samples) {
  BITTERN_RETURN_IF_ERROR(check_samples(samples));
  BITTERN_ASSIGN_OR_RETURN(plan, plan_for_samples(samples.size()));
  const auto window = static_cast<std::size_t>(model->front_end.clip_samples);
  samples = choose_segment(samples, window, options.segment);
  executor.start(*plan, arena().data());
  if (samples.size() < window) {
    centre_in_silence(samples, executor.window());
    samples = executor.window();
  }
  front_end.compute_in(executor.front_end(), samples, executor.features());
  return {};
}

Status Session::State::load_features(std::span<const float> features) {
  const auto bins = static_cast<std::size_t>(model->front_end.mel_bins);
  if (features.empty() || features.size() % bins != 0) {
    return invalid_argument("features have " + std::to_string(features.size()) +
                            " values; give whole frames of " + std::to_string(bins));
  }
  if (features.size() / bins > static_cast<std::size_t>(graph::kMaxTime)) {
    return invalid_argument("features have " + std::to_string(features.size() / bins) +
                            " frames; give at most " + std::to_string(graph::kMaxTime));
  }
  if (const auto position = first_not_finite(features)) {
    return invalid_argument("feature " + std::to_string(*position) + " is not a finite number");
  }
  BITTERN_ASSIGN_OR_RETURN(plan, plan_for(static_cast<int>(features.size() / bins)));
  executor.start(*plan, arena().data());
  std::copy(features.begin(), features.end(), executor.features().begin());
  return {};
}

Status Session::State::check_output(std::span<const float> output) const {
  const std::size_t wanted = static_cast<std::size_t>(model->network.exit_count()) * model->labels.size();
  if (output.size() == wanted) return {};
  return invalid_argument("logits of all exits are " + std::to_string(wanted) +
                          " values, there is room for " + std::to_string(output.size()));
}

Status Session::State::check_logits(int stage) {
  const auto label = first_not_finite(executor.logits(stage));
  if (!label) return {};
  return corrupt("exit " + std::to_string(stage + 1) + " gives a logit that is not finite for label '" +
                 model->labels[*label] + "': the model's weights are out of range");
}

Status Session::State::run_all(std::span<float> output) {
  const int stages = static_cast<int>(plan->stages.size());
  for (int stage = 0; stage < stages; ++stage) {
    executor.run_stage(stage);
    BITTERN_RETURN_IF_ERROR(check_logits(stage));
  }
  const std::span<const float> logits = executor.logits();
  std::copy(logits.begin(), logits.end(), output.begin());
  return {};
}

Status Session::State::classify(const exits::Policy& policy, Classification& result,
                                std::span<const std::uint8_t> only) {
  std::array<exits::Answer, graph::kMaxExits> answers;
  const std::span<float> probabilities = executor.probabilities();
  const std::size_t stages = plan->stages.size();
  for (std::size_t stage = 0; stage < stages; ++stage) {
    executor.run_stage(static_cast<int>(stage));
    BITTERN_RETURN_IF_ERROR(check_logits(static_cast<int>(stage)));
    exits::softmax(executor.logits(static_cast<int>(stage)), model->temperatures[stage], probabilities, only);
    answers[stage] = exits::answer(probabilities);
    if (stage + 1 < stages && !policy.leave(std::span(answers).first(stage + 1))) continue;
    const graph::ExitCounts& counts = plan->stages[stage].counts;
    result = {.label = answers[stage].label,
              .exit = static_cast<int>(stage) + 1,
              .entropy = answers[stage].entropy,
              .probabilities = probabilities,
              .macs = counts.cumulative,
              .macs_share = counts.share};
    break;
  }
  return {};
}

Expected<Session> Session::create(std::shared_ptr<const model::Model> model, SessionOptions options) {
  if (model == nullptr) return invalid_argument("a session needs a model");
  const std::vector<Isa> isas = available_isas();
  if (std::find(isas.begin(), isas.end(), options.isa) == isas.end()) {
    return unsupported("this machine does not run the instruction set " + std::string(name(options.isa)));
  }
  if (!options.arena.empty() && !is_aligned(options.arena.data())) {
    return invalid_argument("the arena given does not start at a multiple of " + std::to_string(kAlignment) +
                            " bytes");
  }
  const std::int64_t samples = model->front_end.clip_samples;
  BITTERN_ASSIGN_OR_RETURN(features::LogMel log_mel,
                           features::LogMel::create_without_memory(model->front_end, options.isa));
  auto state = std::make_unique<State>(std::move(model), options, std::move(log_mel));
  Session session(std::move(state));
  BITTERN_RETURN_IF_ERROR(session.prepare(samples));
  session.state_->plan = session.state_->prepared.front().get();
  return session;
}

Session::Session(std::unique_ptr<State> state) : state_(std::move(state)) {}
Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

const model::Model& Session::model() const { return *state_->model; }
const Trace& Session::trace() const { return state_->executor.trace(); }
std::size_t Session::arena_bytes() const { return state_->needed; }
const graph::ExitCounts& Session::counts(int exit) const {
  return state_->plan->stages[static_cast<std::size_t>(exit) - 1].counts;
}

Status Session::prepare(std::int64_t samples) {
  if (samples < 1)
    return invalid_argument("cannot prepare for clips of " + std::to_string(samples) + " samples");
  const features::LogMelSpec& spec = state_->model->front_end;
  const auto looked_at = samples_looked_at(spec, samples, state_->options.segment);
  BITTERN_ASSIGN_OR_RETURN(const int frames, frames_of(spec, looked_at));
  return without_exceptions([&] { return state_->prepare(frames); });
}

Status Session::plan(std::size_t samples) noexcept {
  return without_exceptions([&]() -> Status {
    BITTERN_ASSIGN_OR_RETURN(state_->plan, state_->plan_for_samples(samples));
    return {};
  });
}

Expected<std::size_t> Session::required_arena_bytes(const model::Model& model, std::int64_t samples,
                                                    Segment segment) {
  const auto looked_at = samples_looked_at(model.front_end, samples, segment);
  BITTERN_ASSIGN_OR_RETURN(const int frames, frames_of(model.front_end, looked_at));
  return without_exceptions([&]() -> Expected<std::size_t> {
    // The instruction set that works on most frames at a time needs most.
    BITTERN_ASSIGN_OR_RETURN(const features::LogMel front_end,
                             features::LogMel::create_without_memory(model.front_end));
    const auto plan_of = [&](int length) {
      return lower(model, length, with_front_end(model.front_end, length, front_end.work_floats()));
    };
    BITTERN_ASSIGN_OR_RETURN(const Plan window, plan_of(model.front_end.clip_frames()));
    if (frames == window.frames) return window.arena_bytes;
    BITTERN_ASSIGN_OR_RETURN(const Plan plan, plan_of(frames));
    return std::max(window.arena_bytes, plan.arena_bytes);  // a longer clip may need a little less
  });
}

Status Session::classify(std::span<const float> samples, const exits::Policy& policy, Classification& result,
                         std::span<const std::uint8_t> only) noexcept {
  return without_exceptions([&]() -> Status {
    BITTERN_RETURN_IF_ERROR(check_policy(policy, state_->model->network.exit_count()));
    BITTERN_RETURN_IF_ERROR(check_only(only, state_->model->labels.size()));
    BITTERN_RETURN_IF_ERROR(state_->load(samples));
    return state_->classify(policy, result, only);
  });
}

Status Session::logits(std::span<const float> samples, std::span<float> output) noexcept {
  return without_exceptions([&]() -> Status {
    BITTERN_RETURN_IF_ERROR(state_->check_output(output));
    BITTERN_RETURN_IF_ERROR(state_->load(samples));
    return state_->run_all(output);
  });
}

Status Session::logits_from_features(std::span<const float> features, std::span<float> output) noexcept {
  return without_exceptions([&]() -> Status {
    BITTERN_RETURN_IF_ERROR(state_->check_output(output));
    BITTERN_RETURN_IF_ERROR(state_->load_features(features));
    return state_->run_all(output);
  });
}

}  // namespace bittern::runtime
