#include <fcntl.h>
#include <fmt/format.h>
#include <sndfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <istream>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "audio/audio.h"
#include "audio/quiet_stderr.h"
#include "audio/resampler.h"
#include "audio/unfinished_wav.h"
#include "core/descriptor.h"
#include "core/sample.h"

namespace bittern::audio {
namespace {

constexpr std::size_t kPieceFrames = 8192;

// Averages channels, checks samples, limits the length and resamples, piece by piece: memory follows what a
// file delivers, never what it claims.
class Mixer {
 public:
  static Expected<Mixer> create(std::string name, int rate, int channels, const DecodeOptions& options) {
    if (channels < 1 || channels > kMaxChannels)
      return invalid_argument(fmt::format("{}: {} channels; 1 to {} are read", name, channels, kMaxChannels));
    if (!(options.max_seconds > 0))
      return invalid_argument("the longest length allowed must be more than 0 seconds");
    Expected<Resampler> resampler = Resampler::create(rate, options.sample_rate);
    if (!resampler.ok())
      return Error{resampler.error().code, fmt::format("{}: {}", name, resampler.error().message)};
    return Mixer(std::move(name), rate, channels, options.max_seconds, std::move(resampler).value());
  }

  Status push(const float* interleaved, std::size_t frames) {
    if (static_cast<double>(frames_ + frames) > max_seconds_ * rate_)
      return invalid_argument(fmt::format("{}: longer than {:g} seconds", name_, max_seconds_));
    const std::span<const float> samples(interleaved, frames * channels_);
    if (const auto bad = first_beyond(samples, kMaxSample))
      return bad_sample(samples[*bad], frames_ + *bad / channels_, *bad % channels_);
    if (channels_ == 1) {
      mono_.assign(samples.begin(), samples.end());
    } else {
      mix(samples);
    }
    frames_ += frames;
    return resampler_.push(mono_, output_);
  }

  Expected<std::vector<float>> finish() {
    if (frames_ == 0) return corrupt(name_ + ": no samples in it");
    BITTERN_RETURN_IF_ERROR(resampler_.finish(output_));
    if (output_.empty()) return corrupt(fmt::format("{}: too short, {} samples", name_, frames_));
    // A resampler's filter rings beyond the loudest sample that it was given.
    for (float& sample : output_) sample = std::clamp(sample, -kMaxSample, kMaxSample);
    return std::move(output_);
  }

  std::size_t frames() const { return frames_; }

 private:
  Mixer(std::string name, int rate, int channels, double max_seconds, Resampler resampler)
      : name_(std::move(name)),
        rate_(rate),
        channels_(static_cast<std::size_t>(channels)),
        max_seconds_(max_seconds),
        resampler_(std::move(resampler)) {}

  void mix(std::span<const float> samples) {
    mono_.resize(samples.size() / channels_);
    for (std::size_t i = 0; i < mono_.size(); ++i) {
      double sum = 0;
      for (const float sample : samples.subspan(i * channels_, channels_)) sum += static_cast<double>(sample);
      mono_[i] = static_cast<float>(sum / static_cast<double>(channels_));
    }
  }

  Error bad_sample(float sample, std::size_t frame, std::size_t channel) const {
    const char* what = std::isnan(sample)   ? "not a number"
                       : std::isinf(sample) ? "infinite"
                                            : "far beyond full scale";
    return corrupt(fmt::format("{}: sample {} (at {:.3f} s, channel {}) is {}", name_, frame,
                               static_cast<double>(frame) / rate_, channel + 1, what));
  }

  std::string name_;
  int rate_;
  std::size_t channels_;
  double max_seconds_;
  Resampler resampler_;
  std::size_t frames_ = 0;
  std::vector<float> mono_;
  std::vector<float> output_;
};

struct CloseSoundFile {
  void operator()(SNDFILE* file) const noexcept { sf_close(file); }
};
using SoundFile = std::unique_ptr<SNDFILE, CloseSoundFile>;

// libsndfile also opens formats without a header (by guessing) and a dozen rare ones; those are refused.
bool is_supported(int format) {
  switch (format & SF_FORMAT_TYPEMASK) {
    case SF_FORMAT_WAV:
    case SF_FORMAT_WAVEX:
    case SF_FORMAT_RF64:
    case SF_FORMAT_W64:
    case SF_FORMAT_AIFF:
    case SF_FORMAT_AU:
    case SF_FORMAT_FLAC:
    case SF_FORMAT_OGG:
    case SF_FORMAT_MPEG:
      return true;
    default:
      return false;
  }
}

// An MPEG frame or an ID3 tag in front of one; never of a pipe, whose bytes must not be used up.
bool may_be_mp3(int descriptor) {
  std::array<unsigned char, 3> start = {};
  if (::pread(descriptor, start.data(), start.size(), 0) != 3) return false;
  return (start[0] == 0xFF && start[1] >= 0xE0) || (start[0] == 'I' && start[1] == 'D' && start[2] == '3');
}

// What begins like that; null where it may be raw PCM.
const char* container_at(std::string_view start) {
  struct Container {
    std::string_view start;
    const char* name;
  };
  static constexpr std::array kContainers = {
      Container{"RIFF", "a WAV file"},   Container{"RIFX", "a WAV file"},  Container{"RF64", "a WAV file"},
      Container{"fLaC", "a FLAC file"},  Container{"OggS", "an Ogg file"}, Container{"ID3", "an MP3 file"},
      Container{"FORM", "an AIFF file"}, Container{".snd", "an AU file"},  Container{"dns.", "an AU file"},
      Container{"riff", "a W64 file"},
  };
  for (const Container& container : kContainers)
    if (start.starts_with(container.start)) return container.name;
  return nullptr;
}

Error not_audio(const std::string& name) {
  return corrupt(name + ": not an audio file (WAV, FLAC, Ogg Vorbis, Opus and MP3 are read)");
}

}  // namespace

Expected<std::vector<float>> decode(const std::filesystem::path& path, const DecodeOptions& options) {
  const std::string name = path.string();
  const Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (descriptor.number() < 0) {
    const int reason = errno;
    if (reason == ENOENT || reason == ENOTDIR) return not_found(name + ": no such file");
    return io_error(fmt::format("{}: cannot open: {}", name, std::strerror(reason)));
  }
  struct stat status = {};
  if (::fstat(descriptor.number(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) return invalid_argument(name + ": is a folder, not an audio file");
    if (S_ISREG(status.st_mode) && status.st_size == 0) return corrupt(name + ": is empty");
  }
  std::optional<QuietStderr> quiet;  // outlives `file`
  if (may_be_mp3(descriptor.number())) quiet.emplace();
  SF_INFO info = {};
  bool unrecognised = false;
  std::optional<UnfinishedWav> unfinished = UnfinishedWav::find(descriptor.number());  // outlives `file`
  // libsndfile closes what it cannot open, whatever it is told: a descriptor of its own, or by the second
  // close another thread's file is lost, which has the number by then.
  const int own = unfinished ? -1 : ::fcntl(descriptor.number(), F_DUPFD_CLOEXEC, 0);
  if (!unfinished && own < 0) return io_error(fmt::format("{}: cannot open: {}", name, std::strerror(errno)));
  const SoundFile file = [&] {
    // Why it could not be opened libsndfile keeps in a variable of the process.
    static std::mutex opening;
    const std::lock_guard lock(opening);
    SoundFile opened(unfinished ? unfinished->open(&info) : sf_open_fd(own, SFM_READ, &info, SF_TRUE));
    if (!opened) unrecognised = sf_error(nullptr) == SF_ERR_UNRECOGNISED_FORMAT;
    return opened;
  }();
  if (unrecognised) return not_audio(name);
  if (!file) return corrupt(name + ": damaged, truncated or not of a kind of audio that is read");
  if (!is_supported(info.format)) return not_audio(name);

  BITTERN_ASSIGN_OR_RETURN(Mixer mixer, Mixer::create(name, info.samplerate, info.channels, options));
  // What a cut WAV, Ogg or MP3 file delivers is used. FLAC counts and checks its samples: where they fall
  // short or a check fails, the file is damaged and says so. The count is huge where the encoder left it out.
  const bool is_flac = (info.format & SF_FORMAT_TYPEMASK) == SF_FORMAT_FLAC;
  const bool counted = is_flac && info.frames > 0 && info.frames < SF_COUNT_MAX;
  bool damaged = false;
  std::vector<float> piece(kPieceFrames * static_cast<std::size_t>(info.channels));
  while (true) {
    // Not beyond the last sample: tags behind it are no damage.
    const sf_count_t left = counted ? info.frames - static_cast<sf_count_t>(mixer.frames()) : SF_COUNT_MAX;
    const sf_count_t frames =
        sf_readf_float(file.get(), piece.data(), std::min(left, static_cast<sf_count_t>(kPieceFrames)));
    // The next read forgets it, and lost samples come as silence.
    damaged = is_flac && sf_error(file.get()) != SF_ERR_NO_ERROR;
    if (frames <= 0 || damaged) break;
    BITTERN_RETURN_IF_ERROR(mixer.push(piece.data(), static_cast<std::size_t>(frames)));
  }
  if (damaged || (counted && static_cast<sf_count_t>(mixer.frames()) < info.frames)) {
    const std::string total = counted ? fmt::format(" of {}", info.frames) : "";
    return corrupt(
        fmt::format("{}: damaged or truncated: {}{} samples could be read", name, mixer.frames(), total));
  }
  return mixer.finish();
}

Expected<std::vector<float>> decode_raw(std::istream& stream, const std::string& name,
                                        const RawFormat& format, const DecodeOptions& options) {
  BITTERN_ASSIGN_OR_RETURN(Mixer mixer, Mixer::create(name, format.sample_rate, format.channels, options));
  const auto channels = static_cast<std::size_t>(format.channels);
  std::vector<char> bytes(kPieceFrames * channels * 2);
  std::vector<float> piece(kPieceFrames * channels);
  bool first = true;
  while (stream) {
    stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    const auto count = static_cast<std::size_t>(stream.gcount());
    if (const char* container = first ? container_at({bytes.data(), count}) : nullptr)
      return corrupt(fmt::format("{}: is {}, not raw PCM", name, container));
    first = false;
    if (count % (channels * 2) != 0)
      return corrupt(fmt::format("{}: {} bytes are left over after the last whole frame of {} x 16 bits",
                                 name, count % (channels * 2), channels));
    for (std::size_t i = 0; i < count / 2; ++i) {
      const auto low = static_cast<unsigned char>(bytes[2 * i]);
      const auto high = static_cast<unsigned char>(bytes[2 * i + 1]);
      piece[i] = static_cast<float>(static_cast<std::int16_t>(low | high << 8)) / 32768.0F;
    }
    BITTERN_RETURN_IF_ERROR(mixer.push(piece.data(), count / 2 / channels));
  }
  if (stream.bad()) return io_error(name + ": reading failed");
  return mixer.finish();
}

}  // namespace bittern::audio
