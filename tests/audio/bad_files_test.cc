// Each kind of bad file: one clear line, never a crash, nothing on standard error.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <bit>
#include <limits>
#include <thread>
#include <vector>

#include "audio/audio.h"
#include "audio/audio_files.h"

namespace bittern::audio {
namespace {

using test::chunk;
using test::format_body;
using test::little;
using test::riff;

class BadFiles : public ::testing::Test {
 protected:
  // The error for a file, without the path in front.
  std::string error_of(const std::filesystem::path& path, const DecodeOptions& options = {}) {
    const auto samples = decode(path, options);
    EXPECT_FALSE(samples.ok()) << path;
    if (samples.ok()) return "";
    const std::string& message = samples.error().message;
    EXPECT_EQ(message.find('\n'), std::string::npos);
    const std::string prefix = path.string() + ": ";
    EXPECT_TRUE(message.starts_with(prefix)) << message;
    return message.substr(prefix.size());
  }

  std::string error_of_bytes(const std::string& bytes, const char* name = "clip.wav") {
    test::write_bytes(folder_ / name, bytes);
    return error_of(folder_ / name);
  }

  test::TempFolder folder_;
};

const char* const kNotAudio = "not an audio file (WAV, FLAC, Ogg Vorbis, Opus and MP3 are read)";
const char* const kDamaged = "damaged, truncated or not of a kind of audio that is read";

TEST_F(BadFiles, Missing) {
  EXPECT_EQ(error_of(folder_ / "none.wav"), "no such file");
  EXPECT_EQ(decode(folder_ / "none.wav").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(error_of(folder_ / "none/clip.wav"), "no such file");
}

TEST_F(BadFiles, Folder) {
  EXPECT_EQ(error_of(folder_.path()), "is a folder, not an audio file");
  EXPECT_EQ(decode(folder_.path()).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(BadFiles, Empty) { EXPECT_EQ(error_of_bytes(""), "is empty"); }

TEST_F(BadFiles, TextCalledWav) {
  EXPECT_EQ(error_of_bytes("This is no recording.\n"), kNotAudio);
  EXPECT_EQ(error_of_bytes("x"), kNotAudio);
  EXPECT_EQ(error_of_bytes("hello", "clip.mp3"), kNotAudio);
}

// A descriptor that is closed once too often is another thread's by then.
TEST_F(BadFiles, DisturbNoOtherThread) {
  std::vector<int> tone;
  for (int i = 0; i < 4000; ++i) tone.push_back(i % 100 * 50);
  test::write_bytes(folder_ / "good.wav",
                    riff(chunk("fmt ", format_body(1, 1, 16000, 16)) + chunk("data", test::pcm16(tone))));
  test::write_bytes(folder_ / "bad.wav", "This is no recording.\n");
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&] {
      for (int i = 0; i < 300; ++i) {
        const auto bad = decode(folder_ / "bad.wav");
        if (bad.ok() || bad.error().message.find(kNotAudio) == std::string::npos) ++wrong;
        const auto good = decode(folder_ / "good.wav");
        if (!good.ok() || good->size() != tone.size()) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST_F(BadFiles, HeaderlessFormatsAreNotGuessedFromTheName) {
  EXPECT_EQ(error_of_bytes("This is no recording.\n", "clip.vox"), kNotAudio);
  EXPECT_EQ(error_of_bytes("This is no recording.\n", "clip.gsm"), kNotAudio);
}

TEST_F(BadFiles, RareContainersAreNotRead) {
  for (const int format : {SF_FORMAT_CAF, SF_FORMAT_IRCAM, SF_FORMAT_VOC}) {
    ASSERT_TRUE(test::write_audio(folder_ / "clip.wav", format | SF_FORMAT_PCM_16, test::tone(100)));
    EXPECT_EQ(error_of(folder_ / "clip.wav"), kNotAudio);
  }
}

TEST_F(BadFiles, LoopOfLinks) {
  std::filesystem::create_symlink(folder_ / "b.wav", folder_ / "a.wav");
  std::filesystem::create_symlink(folder_ / "a.wav", folder_ / "b.wav");
  EXPECT_TRUE(error_of(folder_ / "a.wav").starts_with("cannot open: "));
}

TEST_F(BadFiles, NotAllowed) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
  test::write_bytes(folder_ / "clip.wav", "RIFF");
  ::chmod((folder_ / "clip.wav").c_str(), 0);
  EXPECT_TRUE(error_of(folder_ / "clip.wav").starts_with("cannot open: "));
}

TEST_F(BadFiles, NoSamples) {
  EXPECT_EQ(error_of_bytes(riff(chunk("fmt ", format_body(1, 1, 16000, 16)) + chunk("data", ""))),
            "no samples in it");
}

TEST_F(BadFiles, HeaderOnly) {
  EXPECT_EQ(error_of_bytes(riff("")), kDamaged);
  EXPECT_EQ(error_of_bytes(riff(chunk("fmt ", format_body(1, 1, 16000, 16)))), kDamaged);
}

std::string float_wav(const std::vector<float>& values, int channels = 1) {
  std::string data;
  for (const float value : values) data += little(std::bit_cast<std::uint32_t>(value), 4);
  return riff(chunk("fmt ", format_body(3, channels, 16000, 32)) + chunk("data", data));
}

TEST_F(BadFiles, NotANumber) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::vector<float> values(20000, 0.25F);
  values[16000] = nan;
  values[17000] = nan;
  EXPECT_EQ(error_of_bytes(float_wav(values)), "sample 16000 (at 1.000 s, channel 1) is not a number");
  EXPECT_EQ(error_of_bytes(float_wav({0, 0, 0, nan}, 2)), "sample 1 (at 0.000 s, channel 2) is not a number");
}

TEST_F(BadFiles, Infinite) {
  const float inf = std::numeric_limits<float>::infinity();
  EXPECT_EQ(error_of_bytes(float_wav({0, -inf})), "sample 1 (at 0.000 s, channel 1) is infinite");
  EXPECT_EQ(error_of_bytes(float_wav({0, 1025})),
            "sample 1 (at 0.000 s, channel 1) is far beyond full scale");
  EXPECT_EQ(error_of_bytes(float_wav({3e38F})), "sample 0 (at 0.000 s, channel 1) is far beyond full scale");
}

TEST_F(BadFiles, OddRates) {
  EXPECT_EQ(error_of_bytes(riff(chunk("fmt ", format_body(1, 1, 7, 16)) + chunk("data", "abcd"))),
            "a sample rate of 7 Hz is outside 1000 to 768000");
  EXPECT_EQ(error_of_bytes(riff(chunk("fmt ", format_body(1, 1, 500000000, 16)) + chunk("data", "abcd"))),
            "a sample rate of 500000000 Hz is outside 1000 to 768000");
}

TEST_F(BadFiles, TooManyChannels) {
  EXPECT_EQ(error_of_bytes(
                riff(chunk("fmt ", format_body(1, 300, 16000, 16)) + chunk("data", std::string(600, 'a')))),
            "300 channels; 1 to 256 are read");
}

TEST_F(BadFiles, TooShortToResample) {
  test::write_audio(folder_ / "clip.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, {0.5F}, 48000);
  EXPECT_EQ(error_of(folder_ / "clip.wav"), "too short, 1 samples");
}

TEST_F(BadFiles, TooLong) {
  test::write_audio(folder_ / "clip.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, std::vector<float>(16001));
  EXPECT_EQ(error_of(folder_ / "clip.wav", {.max_seconds = 1}), "longer than 1 seconds");
  EXPECT_TRUE(decode(folder_ / "clip.wav", {.max_seconds = 1.001}).ok());
}

TEST_F(BadFiles, UnsupportedEncodingInWav) {
  EXPECT_EQ(error_of_bytes(riff(chunk("fmt ", format_body(0x161, 1, 16000, 16)) + chunk("data", "abcd"))),
            kDamaged);
}

TEST_F(BadFiles, CutFlacSaysHowMuchIsLeft) {
  ASSERT_TRUE(test::write_audio(folder_ / "clip.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, test::tone(16000)));
  const std::string bytes = test::read_bytes(folder_ / "clip.flac");
  const std::string error = error_of_bytes(bytes.substr(0, bytes.size() * 6 / 10), "clip.flac");
  EXPECT_EQ(error, "damaged or truncated: 8192 of 16000 samples could be read");
}

// Sets the total of samples in STREAMINFO, the last 36 bits of the eight that begin with the sample rate, to
// "unknown", as encoders that write to a pipe leave it.
void forget_total(std::string& flac) {
  flac[21] = static_cast<char>(flac[21] & 0xF0);
  for (std::size_t i = 22; i < 26; ++i) flac[i] = '\0';
}

TEST_F(BadFiles, FlacWithAHole) {
  ASSERT_TRUE(test::write_audio(folder_ / "clip.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, test::tone(80000)));
  const std::string bytes = test::read_bytes(folder_ / "clip.flac");
  for (std::size_t percent = 5; percent < 95; ++percent) {
    const std::size_t begin = bytes.size() * percent / 100;
    std::string holed = bytes;
    holed.erase(begin, bytes.size() / 20);
    EXPECT_TRUE(error_of_bytes(holed, "clip.flac").starts_with("damaged or truncated: ")) << percent;
    // Its sizes are what they were, so that reading finds its way again behind it.
    holed = bytes;
    holed.replace(begin, bytes.size() / 20, bytes.size() / 20, '\0');
    const std::string error = error_of_bytes(holed, "clip.flac");
    EXPECT_TRUE(error.starts_with("damaged or truncated: ") &&
                error.ends_with(" of 80000 samples could be read"))
        << error;
  }
}

TEST_F(BadFiles, FlacOfUnknownLength) {
  ASSERT_TRUE(test::write_audio(folder_ / "clip.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, test::tone(80000)));
  const auto known = decode(folder_ / "clip.flac");
  ASSERT_TRUE(known.ok());
  std::string bytes = test::read_bytes(folder_ / "clip.flac");
  forget_total(bytes);
  test::write_bytes(folder_ / "clip.flac", bytes);
  const auto unknown = decode(folder_ / "clip.flac");
  ASSERT_TRUE(unknown.ok()) << unknown.error().message;
  EXPECT_EQ(*unknown, *known);
  for (const std::size_t percent : {20U, 43U, 45U, 70U, 95U}) {
    const std::string error = error_of_bytes(bytes.substr(0, bytes.size() * percent / 100), "clip.flac");
    EXPECT_TRUE(error.starts_with("damaged or truncated: ") && error.ends_with(" samples could be read"))
        << error;
    EXPECT_EQ(error.find(" of "), std::string::npos) << error;
  }
}

TEST_F(BadFiles, TagsAroundAFlacAreNoDamage) {
  ASSERT_TRUE(test::write_audio(folder_ / "clip.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16, test::tone(80000)));
  const auto plain = decode(folder_ / "clip.flac");
  ASSERT_TRUE(plain.ok());
  const std::string bytes = test::read_bytes(folder_ / "clip.flac");
  const std::string id3v2 = std::string("ID3\4\0\0\0\0\0\x0A", 10) + std::string(10, '\0');
  for (const std::string& tagged : {bytes + "TAG" + std::string(125, ' '), bytes + bytes, id3v2 + bytes}) {
    test::write_bytes(folder_ / "clip.flac", tagged);
    const auto samples = decode(folder_ / "clip.flac");
    ASSERT_TRUE(samples.ok()) << samples.error().message;
    EXPECT_EQ(*samples, *plain);
  }
}

TEST_F(BadFiles, CutWavGivesWhatIsLeft) {
  ASSERT_TRUE(test::write_audio(folder_ / "clip.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16, test::tone(16000)));
  const auto whole = decode(folder_ / "clip.wav");
  ASSERT_TRUE(whole.ok());
  test::write_bytes(folder_ / "clip.wav", test::read_bytes(folder_ / "clip.wav").substr(0, 44 + 2001));
  const auto cut = decode(folder_ / "clip.wav");
  ASSERT_TRUE(cut.ok()) << cut.error().message;
  EXPECT_EQ(*cut, std::vector<float>(whole->begin(), whole->begin() + 1000));
}

// No length at which a file is cut, and no flipped byte, may do more than give an error or fewer samples.
class DamagedFiles : public BadFiles, public ::testing::WithParamInterface<std::pair<const char*, int>> {};

TEST_P(DamagedFiles, NeverCrashNorTalk) {
  const auto [name, format] = GetParam();
  const auto path = folder_ / name;
  if (!test::write_audio(path, format, test::tone(8000)))
    GTEST_SKIP() << "this libsndfile cannot write " << name;
  const std::string whole = test::read_bytes(path);
  ::testing::internal::CaptureStderr();
  for (std::size_t part = 0; part < 40; ++part) {
    test::write_bytes(path, whole.substr(0, whole.size() * part / 40));
    const auto samples = decode(path);
    if (samples.ok()) {
      EXPECT_GT(samples->size(), 0U);
      EXPECT_LE(samples->size(), 8000U) << part;
    } else {
      EXPECT_EQ(samples.error().message.find('\n'), std::string::npos);
    }
  }
  for (std::size_t round = 0; round < 80; ++round) {
    std::string bytes = whole;
    for (std::size_t k = 0; k <= round % 20; ++k) {
      char& byte = bytes[(round * 7919 + k * k * 613 + 4) % (round % 2 == 0 ? 200 : bytes.size())];
      byte = static_cast<char>(byte ^ (1 << round % 8));
    }
    test::write_bytes(path, bytes);
    const auto samples = decode(path, {.max_seconds = 60});
    if (!samples.ok()) {
      EXPECT_EQ(samples.error().message.find('\n'), std::string::npos);
    }
  }
  EXPECT_EQ(::testing::internal::GetCapturedStderr(), "");
}

INSTANTIATE_TEST_SUITE_P(EveryFormat, DamagedFiles,
                         ::testing::Values(std::pair{"clip.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_16},
                                           std::pair{"wide.wav", SF_FORMAT_WAVEX | SF_FORMAT_FLOAT},
                                           std::pair{"clip.flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_16},
                                           std::pair{"clip.ogg", SF_FORMAT_OGG | SF_FORMAT_VORBIS},
                                           std::pair{"clip.opus", SF_FORMAT_OGG | SF_FORMAT_OPUS},
                                           std::pair{"clip.mp3", SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III}),
                         [](const auto& info) {
                           std::string name = info.param.first;
                           name[name.find('.')] = '_';
                           return name;
                         });

TEST_F(BadFiles, HugeClaimsCostNoMemory) {
  // Nothing of the size that the header claims may be allocated.
  const std::string bytes = "RIFF" + little(0xFFFFFFF0, 4) + "WAVE" +
                            chunk("fmt ", format_body(1, 1, 16000, 16)) + "data" + little(0xFFFFFF00, 4) +
                            little(0x4000, 2);
  test::write_bytes(folder_ / "clip.wav", bytes);
  const auto samples = decode(folder_ / "clip.wav");
  ASSERT_TRUE(samples.ok()) << samples.error().message;
  EXPECT_EQ(*samples, std::vector<float>{0.5F});
  EXPECT_LT(samples->capacity(), 10000U);
}

}  // namespace
}  // namespace bittern::audio
