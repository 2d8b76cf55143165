// WAV files of every odd but legal kind, written byte by byte.
#include <gtest/gtest.h>

#include <bit>

#include "audio/audio.h"
#include "audio/audio_files.h"

namespace bittern::audio {
namespace {

using test::chunk;
using test::format_body;
using test::little;
using test::pcm16;
using test::riff;

const std::vector<int> kValues = {0, 1, -1, 16384, -16384, 32767, -32768, 12345};

std::vector<float> expected16() {
  std::vector<float> samples;
  samples.reserve(kValues.size());
  for (const int value : kValues) samples.push_back(static_cast<float>(value) / 32768.0F);
  return samples;
}

class WavHeaders : public ::testing::Test {
 protected:
  std::vector<float> read(const std::string& bytes) {
    const auto path = folder_ / "clip.wav";
    test::write_bytes(path, bytes);
    auto samples = decode(path);
    EXPECT_TRUE(samples.ok()) << samples.error().message;
    return samples.ok() ? std::move(samples).value() : std::vector<float>{};
  }

  // A whole file around one `fmt ` chunk and its data.
  std::vector<float> read(const std::string& format, const std::string& data) {
    return read(riff(chunk("fmt ", format) + chunk("data", data)));
  }

  test::TempFolder folder_;
};

const std::string kFormat16 = chunk("fmt ", format_body(1, 1, 16000, 16));

TEST_F(WavHeaders, Plain) { EXPECT_EQ(read(riff(kFormat16 + chunk("data", pcm16(kValues)))), expected16()); }

TEST_F(WavHeaders, ListBeforeData) {
  const std::string list = chunk("LIST", "INFO" + chunk("ISFT", "Lavf58.29.100"));  // odd: padded
  EXPECT_EQ(read(riff(kFormat16 + list + chunk("data", pcm16(kValues)))), expected16());
}

TEST_F(WavHeaders, ListAfterData) {
  const std::string list = chunk("LIST", "INFO" + chunk("INAM", "a name"));
  EXPECT_EQ(read(riff(kFormat16 + chunk("data", pcm16(kValues)) + list)), expected16());
}

TEST_F(WavHeaders, JunkBeforeFormat) {
  EXPECT_EQ(read(riff(chunk("JUNK", std::string(28, '\0')) + kFormat16 + chunk("data", pcm16(kValues)))),
            expected16());
}

TEST_F(WavHeaders, OddJunkIsPadded) {
  EXPECT_EQ(read(riff(kFormat16 + chunk("JUNK", std::string(7, 'x')) + chunk("data", pcm16(kValues)))),
            expected16());
}

TEST_F(WavHeaders, UnknownChunk) {
  EXPECT_EQ(read(riff(kFormat16 + chunk("bext", std::string(602, '\0')) + chunk("abcd", "12345") +
                      chunk("data", pcm16(kValues)))),
            expected16());
}

TEST_F(WavHeaders, FactChunk) {
  EXPECT_EQ(read(riff(kFormat16 + chunk("fact", little(kValues.size(), 4)) + chunk("data", pcm16(kValues)))),
            expected16());
}

TEST_F(WavHeaders, FormatWithExtensionOfSizeZero) {
  EXPECT_EQ(read(format_body(1, 1, 16000, 16) + little(0, 2), pcm16(kValues)), expected16());
}

std::string extensible(int tag, int channels, int bits) {
  return format_body(0xFFFE, channels, 16000, bits) + little(22, 2) +
         little(static_cast<std::uint64_t>(bits), 2) + little(channels == 1 ? 4 : 3, 4) +
         little(static_cast<std::uint64_t>(tag), 2) +
         std::string("\x00\x00\x00\x00\x10\x00\x80\x00\x00\xAA\x00\x38\x9B\x71", 14);
}

TEST_F(WavHeaders, Extensible) { EXPECT_EQ(read(extensible(1, 1, 16), pcm16(kValues)), expected16()); }

TEST_F(WavHeaders, ExtensibleFloat) {
  EXPECT_EQ(read(extensible(3, 1, 32), little(std::bit_cast<std::uint32_t>(0.25F), 4) +
                                           little(std::bit_cast<std::uint32_t>(-1.0F), 4)),
            (std::vector<float>{0.25F, -1.0F}));
}

TEST_F(WavHeaders, ExtensibleStereoIsAveraged) {
  EXPECT_EQ(read(extensible(1, 2, 16), pcm16({100, 300, -32768, 32767})),
            (std::vector<float>{200 / 32768.0F, -0.5F / 32768.0F}));
}

TEST_F(WavHeaders, UnknownLengthFromAPipe) {
  const std::string endless = little(0xFFFFFFFF, 4);
  EXPECT_EQ(read("RIFF" + endless + "WAVE" + kFormat16 + "data" + endless + pcm16(kValues)), expected16());
}

TEST_F(WavHeaders, UnknownLengthAsSomeToolsWriteIt) {
  const std::string large = little(0x7FFFF000, 4);
  EXPECT_EQ(read("RIFF" + large + "WAVE" + kFormat16 + "data" + large + pcm16(kValues)), expected16());
}

TEST_F(WavHeaders, LengthZeroLeftByAnInterruptedWriter) {
  // A recorder that was killed leaves 0 in the size of the samples, and 0 or the header's in that of the
  // whole.
  for (const std::uint64_t whole : {std::uint64_t{0}, std::uint64_t{36}, std::uint64_t{0xFFFFFFFF}})
    EXPECT_EQ(read("RIFF" + little(whole, 4) + "WAVE" + kFormat16 + "data" + little(0, 4) + pcm16(kValues)),
              expected16())
        << whole;
  // An odd chunk before, and half a sample at the end.
  EXPECT_EQ(read("RIFF" + little(0, 4) + "WAVE" + chunk("JUNK", "abc") + kFormat16 + "data" + little(0, 4) +
                 pcm16(kValues) + "x"),
            expected16());
  std::vector<int> many(100000, 77);
  EXPECT_EQ(read("RIFF" + little(0, 4) + "WAVE" + kFormat16 + "data" + little(0, 4) + pcm16(many)),
            std::vector<float>(many.size(), 77 / 32768.0F));
}

TEST_F(WavHeaders, ARecordingOfNothingWithMoreBehindIsEmpty) {
  const auto path = folder_ / "clip.wav";
  for (const std::string& behind : {std::string(), chunk("LIST", "INFO" + chunk("ISFT", "Lavf5"))}) {
    test::write_bytes(path, riff(kFormat16 + chunk("data", "") + behind));
    const auto samples = decode(path);
    ASSERT_FALSE(samples.ok());
    EXPECT_EQ(samples.error().message, path.string() + ": no samples in it");
  }
}

TEST_F(WavHeaders, ClaimsMoreThanItHolds) {
  EXPECT_EQ(
      read("RIFF" + little(1000036, 4) + "WAVE" + kFormat16 + "data" + little(1000000, 4) + pcm16(kValues)),
      expected16());
}

TEST_F(WavHeaders, BytesAfterTheEnd) {
  EXPECT_EQ(read(riff(kFormat16 + chunk("data", pcm16(kValues))) + "trailing text, no chunk"), expected16());
}

TEST_F(WavHeaders, Pcm8IsUnsigned) {
  const std::string data("\x80\x00\xFF\xC0\x40", 5);  // an odd number of bytes: padded
  EXPECT_EQ(read(format_body(1, 1, 16000, 8), data), (std::vector<float>{0, -1, 127 / 128.0F, 0.5F, -0.5F}));
}

TEST_F(WavHeaders, Pcm24) {
  const std::string data = little(0x400000, 3) + little(0x800000, 3) + little(1, 3) + little(0xFFFFFF, 3);
  EXPECT_EQ(read(format_body(1, 1, 16000, 24), data),
            (std::vector<float>{0.5F, -1, 1 / 8388608.0F, -1 / 8388608.0F}));
}

TEST_F(WavHeaders, Pcm32) {
  const std::string data = little(0x40000000, 4) + little(0x80000000, 4) + little(0xC0000000, 4);
  EXPECT_EQ(read(format_body(1, 1, 16000, 32), data), (std::vector<float>{0.5F, -1, -0.5F}));
}

TEST_F(WavHeaders, Float32BeyondFullScaleIsKept) {
  std::string data;
  for (const float value : {0.1F, -0.7F, 1.5F, -2.0F}) data += little(std::bit_cast<std::uint32_t>(value), 4);
  EXPECT_EQ(read(format_body(3, 1, 16000, 32), data), (std::vector<float>{0.1F, -0.7F, 1.5F, -2.0F}));
}

TEST_F(WavHeaders, Float64) {
  std::string data;
  for (const double value : {0.1, -0.75}) data += little(std::bit_cast<std::uint64_t>(value), 8);
  EXPECT_EQ(read(format_body(3, 1, 16000, 64), data), (std::vector<float>{0.1F, -0.75F}));
}

TEST_F(WavHeaders, Rf64) {
  const std::string data = pcm16(kValues);
  const std::string endless = little(0xFFFFFFFF, 4);
  const std::string sizes =
      little(100, 8) + little(data.size(), 8) + little(kValues.size(), 8) + little(0, 4);
  EXPECT_EQ(read("RF64" + endless + "WAVE" + chunk("ds64", sizes) + kFormat16 + "data" + endless + data),
            expected16());
}

TEST_F(WavHeaders, BigEndianRifx) {
  const auto big = [](std::uint64_t value, int count) {
    const std::string bytes = little(value, count);
    return std::string(bytes.rbegin(), bytes.rend());
  };
  const std::string format = big(1, 2) + big(1, 2) + big(16000, 4) + big(32000, 4) + big(2, 2) + big(16, 2);
  EXPECT_EQ(read("RIFX" + big(40, 4) + "WAVEfmt " + big(16, 4) + format + "data" + big(4, 4) +
                 big(0x4000, 2) + big(0x8000, 2)),
            (std::vector<float>{0.5F, -1.0F}));
}

TEST_F(WavHeaders, EightChannelsAreAveraged) {
  EXPECT_EQ(read(format_body(1, 8, 16000, 16), pcm16({8, 16, 24, 32, 40, 48, 56, 64})),
            (std::vector<float>{36 / 32768.0F}));
}

TEST_F(WavHeaders, PartOfAFrameAtTheEndIsLeftOut) {
  const std::string data = pcm16({100, 300, 200, 400}) + "x";
  EXPECT_EQ(read(format_body(1, 2, 16000, 16), data), (std::vector<float>{200 / 32768.0F, 300 / 32768.0F}));
}

}  // namespace
}  // namespace bittern::audio
