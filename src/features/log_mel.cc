#include "features/log_mel.h"

#include <utility>

#include "features/front_end.h"

namespace bittern::features {

struct LogMel::State {
  FrontEnd front_end;
};

LogMel::LogMel(std::unique_ptr<State> state) : state_(std::move(state)) {}
LogMel::LogMel(LogMel&&) noexcept = default;
LogMel& LogMel::operator=(LogMel&&) noexcept = default;
LogMel::~LogMel() = default;

Expected<LogMel> LogMel::create(const LogMelSpec& spec, Isa isa) {
  BITTERN_ASSIGN_OR_RETURN(FrontEnd front_end, FrontEnd::create(spec, isa));
  return LogMel(std::make_unique<State>(State{std::move(front_end)}));
}

Expected<LogMel> LogMel::create_without_memory(const LogMelSpec& spec, Isa isa) {
  BITTERN_ASSIGN_OR_RETURN(FrontEnd front_end, FrontEnd::create(spec, isa, Memory::kGiven));
  return LogMel(std::make_unique<State>(State{std::move(front_end)}));
}

const LogMelSpec& LogMel::spec() const { return state_->front_end.spec(); }

void LogMel::compute(std::span<const float> samples, std::span<float> output) noexcept {
  state_->front_end.compute(samples, output);
}

std::size_t LogMel::work_floats() const noexcept { return state_->front_end.work_floats(); }

void LogMel::compute_in(std::span<float> work, std::span<const float> samples,
                        std::span<float> output) noexcept {
  state_->front_end.compute_in(work, samples, output);
}

std::size_t LogMel::push(std::span<const float> samples, std::span<float> output) noexcept {
  return state_->front_end.push(samples, output);
}

std::size_t LogMel::frames_after(std::size_t samples) const noexcept {
  return state_->front_end.frames_after(samples);
}

void LogMel::reset() noexcept { state_->front_end.reset(); }

}  // namespace bittern::features
