#include "features/log_mel_spec.h"

#include <bit>
#include <charconv>
#include <cmath>
#include <limits>
#include <string>

#include "features/mel_filters.h"

namespace bittern::features {
namespace {

constexpr int kMaxClipSamples = 1 << 24;  // 64 MiB of them

// Locale-free, shortest form that reads back the same.
std::string text(float value) {
  char buffer[32];
  const auto result = std::to_chars(buffer, buffer + sizeof(buffer), value);
  return {buffer, result.ptr};
}

Error bad_field(const std::string& field, const std::string& value, const std::string& rule) {
  return invalid_argument("front end: " + field + " is " + value + ", but must be " + rule);
}

Status check_range(const std::string& field, int value, int low, int high, const std::string& what = "") {
  if (value >= low && value <= high) return {};
  return bad_field(
      field, std::to_string(value),
      std::to_string(low) + " to " + std::to_string(high) + (what.empty() ? "" : " (" + what + ")"));
}

Status check_normalization(const std::string& field, const std::vector<float>& values) {
  constexpr float kLargest = 1e6F;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (!(std::abs(values[i]) <= kLargest)) {
      return bad_field(field + "[" + std::to_string(i) + "]", text(values[i]),
                       "finite and within +-" + text(kLargest));
    }
  }
  return {};
}

}  // namespace

int LogMelSpec::frames(std::int64_t samples) const {
  if (samples < frame_length) return 0;
  const std::int64_t frames = 1 + (samples - frame_length) / hop;
  return frames > std::numeric_limits<int>::max() ? std::numeric_limits<int>::max()
                                                  : static_cast<int>(frames);
}

Status LogMelSpec::validate() const {
  constexpr float kLowestOffset = 1e-12F;
  constexpr float kHighestOffset = 1e3F;
  BITTERN_RETURN_IF_ERROR(check_range("sample_rate", sample_rate, 1000, 384000, "Hz"));
  BITTERN_RETURN_IF_ERROR(check_range("fft_size", fft_size, 32, 8192));
  if (!std::has_single_bit(static_cast<unsigned>(fft_size))) {
    return bad_field("fft_size", std::to_string(fft_size), "a power of two");
  }
  BITTERN_RETURN_IF_ERROR(check_range("frame_length", frame_length, 2, fft_size, "fft_size"));
  BITTERN_RETURN_IF_ERROR(check_range("hop", hop, 1, frame_length, "frame_length"));
  BITTERN_RETURN_IF_ERROR(
      check_range("clip_samples", clip_samples, frame_length, kMaxClipSamples, "frame_length"));
  BITTERN_RETURN_IF_ERROR(check_range("mel_bins", mel_bins, 1, 1024));
  const auto nyquist = static_cast<float>(sample_rate) / 2;
  if (!(low_hz >= 0.0F && low_hz <= nyquist)) {
    return bad_field("low_hz", text(low_hz), "0 to half the sample rate (" + text(nyquist) + ")");
  }
  if (!(high_hz > low_hz && high_hz <= nyquist)) {
    return bad_field(
        "high_hz", text(high_hz),
        "above low_hz (" + text(low_hz) + ") and at most half the sample rate (" + text(nyquist) + ")");
  }
  if (!(offset >= kLowestOffset && offset <= kHighestOffset)) {
    return bad_field("offset", text(offset), text(kLowestOffset) + " to " + text(kHighestOffset));
  }
  if (normalize_scale.size() != normalize_bias.size() ||
      (!normalize_scale.empty() && normalize_scale.size() != static_cast<std::size_t>(mel_bins))) {
    return bad_field(
        "normalize_scale and normalize_bias",
        std::to_string(normalize_scale.size()) + " and " + std::to_string(normalize_bias.size()) + " long",
        "both empty or one value per mel bin (" + std::to_string(mel_bins) + ")");
  }
  BITTERN_RETURN_IF_ERROR(check_normalization("normalize_scale", normalize_scale));
  BITTERN_RETURN_IF_ERROR(check_normalization("normalize_bias", normalize_bias));
  if (auto filters = make_mel_filters(*this); !filters) return filters.error();
  return {};
}

}  // namespace bittern::features
