#include "audio/resampler.h"

#include <fmt/format.h>
#include <soxr.h>

#include <array>

#include "audio/audio.h"

namespace bittern::audio {

Status check_rate(int rate) {
  if (rate >= kMinRate && rate <= kMaxRate) return {};
  return invalid_argument(
      fmt::format("a sample rate of {} Hz is outside {} to {}", rate, kMinRate, kMaxRate));
}

void Resampler::Delete::operator()(soxr* handle) const noexcept { soxr_delete(handle); }

Expected<Resampler> Resampler::create(int from_rate, int to_rate) {
  BITTERN_RETURN_IF_ERROR(check_rate(from_rate));
  BITTERN_RETURN_IF_ERROR(check_rate(to_rate));
  if (from_rate == to_rate) return Resampler(nullptr);
  const soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
  const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
  const soxr_runtime_spec_t runtime = soxr_runtime_spec(1);
  soxr_error_t error = nullptr;
  Handle handle(soxr_create(from_rate, to_rate, 1, &error, &io, &quality, &runtime));
  if (error != nullptr || !handle)
    return Error{ErrorCode::kInternal, fmt::format("cannot resample from {} to {} Hz: {}", from_rate, to_rate,
                                                   error != nullptr ? error : "no memory")};
  return Resampler(std::move(handle));
}

Status Resampler::process(const float* samples, std::size_t count, std::vector<float>& output) {
  std::array<float, 8192> piece;
  std::size_t used = 0;
  while (true) {
    std::size_t taken = 0;
    std::size_t made = 0;
    const soxr_error_t error = soxr_process(handle_.get(), samples != nullptr ? samples + used : nullptr,
                                            count - used, &taken, piece.data(), piece.size(), &made);
    if (error != nullptr) return Error{ErrorCode::kInternal, fmt::format("cannot resample: {}", error)};
    output.insert(output.end(), piece.begin(), piece.begin() + static_cast<std::ptrdiff_t>(made));
    used += taken;
    if (made < piece.size() && used == count) return {};
  }
}

Status Resampler::push(std::span<const float> samples, std::vector<float>& output) {
  if (samples.empty()) return {};
  if (handle_) return process(samples.data(), samples.size(), output);
  output.insert(output.end(), samples.begin(), samples.end());
  return {};
}

Status Resampler::finish(std::vector<float>& output) {
  return handle_ ? process(nullptr, 0, output) : Status{};
}

Expected<std::vector<float>> resample(std::vector<float> samples, int from_rate, int to_rate) {
  BITTERN_ASSIGN_OR_RETURN(Resampler resampler, Resampler::create(from_rate, to_rate));
  if (from_rate == to_rate) return samples;
  std::vector<float> output;
  BITTERN_RETURN_IF_ERROR(resampler.push(samples, output));
  BITTERN_RETURN_IF_ERROR(resampler.finish(output));
  return output;
}

}  // namespace bittern::audio
