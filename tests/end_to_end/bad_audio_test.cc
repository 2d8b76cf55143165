// Recordings that are none, and odd ones that are.
#include <bit>
#include <limits>

#include "end_to_end/command_line.h"

namespace bittern::test {
namespace {

class BadAudio : public CommandLine {
 protected:
  void expect_refused(const std::string& name) {
    SCOPED_TRACE(name);
    const std::size_t before = entries();
    const Finished finished = bittern({"classify", model_, path(name), "--json"});
    expect_failure(finished, name);
    EXPECT_EQ(finished.out, "");
    EXPECT_EQ(entries(), before);
  }
};

std::string float_bytes(const std::vector<float>& samples) {
  std::string bytes;
  for (const float x : samples) bytes += little(std::bit_cast<std::uint32_t>(x), 4);
  return bytes;
}

std::string wav(int tag, int bits, const std::string& data, const std::string& before = "") {
  return riff(before + chunk("fmt ", format_body(tag, 1, 16000, bits)) + chunk("data", data));
}

TEST_F(BadAudio, WhatIsNoRecordingIsRefused) {
  write_bytes(path("text.wav"), "Dear model, what do you hear?\n");
  write_bytes(path("empty.wav"), "");
  write_bytes(path("no-samples.wav"), wav(1, 16, ""));
  write_bytes(path("header-only.wav"), wav(1, 16, std::string(2000, 'a')).substr(0, 30));
  write_bytes(path("riff.wav"), "RIFF");
  write_bytes(path("text.flac"), "fLaC but not really");
  write_bytes(path("text.mp3"), "still no recording");
  for (const char* name : {"text.wav", "empty.wav", "no-samples.wav", "header-only.wav", "riff.wav",
                           "text.flac", "text.mp3", "gone.wav"})
    expect_refused(name);
}

TEST_F(BadAudio, SamplesThatAreNoNumbersAreRefused) {
  std::vector<float> samples = tone(16000);
  samples[9000] = std::numeric_limits<float>::quiet_NaN();
  write_bytes(path("nan.wav"), wav(3, 32, float_bytes(samples)));
  samples[9000] = -std::numeric_limits<float>::infinity();
  write_bytes(path("infinite.wav"), wav(3, 32, float_bytes(samples)));
  samples[9000] = 3e38F;
  write_bytes(path("huge.wav"), wav(3, 32, float_bytes(samples)));
  for (const char* name : {"nan.wav", "infinite.wav", "huge.wav"}) expect_refused(name);
}

TEST_F(BadAudio, StandardInputIsHeldToTheSame) {
  write_bytes(path("text.wav"), "no recording");
  write_bytes(path("odd.pcm"), "abc");
  const auto from = [&](const std::string& input, std::vector<std::string> more) {
    more.insert(more.begin(), {"classify", model_, "-"});
    Start start;
    start.input = input;
    return bittern(std::move(more), start);
  };
  expect_failure(from(path("text.wav"), {}), "standard input");
  expect_failure(from("/dev/null", {}), "standard input");
  expect_failure(from("/dev/null", {"--raw"}), "standard input");
  expect_failure(from(path("odd.pcm"), {"--raw"}), "standard input");
}

TEST_F(BadAudio, AFileWithAHeaderIsNotRaw) {
  const std::string yes = kSamples + "/test/yes/692a88e6_nohash_3.flac";
  write_bytes(path("tone.wav"), wav(1, 16, std::string(32000, '\1')));
  expect_failure(bittern({"classify", model_, "--json", "--raw", yes}),
                 "692a88e6_nohash_3.flac: is a FLAC file, not raw PCM");
  expect_failure(bittern({"classify", model_, "--json", "--raw", path("tone.wav")}),
                 "tone.wav: is a WAV file");
  expect_failure(bittern({"classify", model_, "--json", "--raw", "-"}, {.input = yes}),
                 "standard input: is a FLAC file");
}

TEST_F(BadAudio, OddButLegalHeadersGiveTheSameAnswer) {
  std::vector<int> values;
  for (const float x : tone(16000, 900)) values.push_back(static_cast<int>(x * 32000));
  const std::string data = pcm16(values);
  std::string wide;  // the same values in the upper bits of 32
  std::vector<float> floats;
  for (const int value : values) {
    wide += little(0, 2) + little(static_cast<std::uint64_t>(value), 2);
    floats.push_back(static_cast<float>(value) / 32768.0F);
  }
  const std::string guid =
      little(1, 2) + std::string("\x00\x00\x00\x00\x10\x00\x80\x00\x00\xAA\x00\x38\x9B\x71", 14);
  const std::string extensible = little(0xFFFE, 2) + format_body(1, 1, 16000, 16).substr(2) + little(22, 2) +
                                 little(16, 2) + little(4, 4) + guid;
  std::string unknown_length = wav(1, 16, data);
  unknown_length.replace(4, 4, little(0xFFFFFFFF, 4));
  unknown_length.replace(40, 4, little(0xFFFFFFFF, 4));

  write_bytes(path("plain.wav"), wav(1, 16, data));
  write_bytes(path("list.wav"), wav(1, 16, data, chunk("LIST", "INFO" + chunk("ISFT", "Lavf5"))));
  write_bytes(path("junk.wav"), wav(1, 16, data, chunk("JUNK", std::string(27, 'j'))));
  write_bytes(path("fact.wav"), riff(chunk("fmt ", format_body(1, 1, 16000, 16)) +
                                     chunk("fact", little(16000, 4)) + chunk("data", data)));
  write_bytes(path("extensible.wav"), riff(chunk("fmt ", extensible) + chunk("data", data)));
  write_bytes(path("unknown-length.wav"), unknown_length);
  write_bytes(path("32-bit.wav"), wav(1, 32, wide));
  write_bytes(path("float.wav"), wav(3, 32, float_bytes(floats)));

  const std::vector<std::string> names{"plain.wav",      "list.wav",           "junk.wav",   "fact.wav",
                                       "extensible.wav", "unknown-length.wav", "32-bit.wav", "float.wav"};
  std::vector<std::string> arguments{"classify", model_, "--json"};
  for (const std::string& name : names) arguments.push_back(path(name));
  const Finished finished = bittern(arguments);
  ASSERT_EQ(finished.status, 0) << finished.err;
  const auto answers = json_lines(finished.out);
  ASSERT_EQ(answers.size(), names.size());
  for (std::size_t i = 0; i < names.size(); ++i)
    EXPECT_EQ(answers[i]["probabilities"], answers[0]["probabilities"]) << names[i];
}

}  // namespace
}  // namespace bittern::test
