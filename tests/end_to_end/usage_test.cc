#include <locale.h>

#include "end_to_end/command_line.h"

namespace bittern::test {
namespace {

using Usage = CommandLine;

TEST_F(Usage, HelpAndVersionGoToStandardOutput) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"--help"},
                                                    {"classify", "--help"},
                                                    {"evaluate", "--help"},
                                                    {"inspect", "--help"},
                                                    {"export", "--help"}}) {
    const Finished help = bittern(arguments);
    EXPECT_EQ(help.status, 0);
    EXPECT_EQ(help.err, "");
    EXPECT_NE(help.out.find("Usage: bittern"), std::string::npos);
  }
  const Finished version = bittern({"--version"});
  EXPECT_EQ(version.status, 0);
  EXPECT_TRUE(version.out.starts_with("bittern ")) << version.out;
}

TEST_F(Usage, WrongUsageIsOneLineWithAHint) {
  struct Case {
    std::vector<std::string> arguments;
    std::string what;
  };
  const std::vector<Case> cases{
      {{}, "command"},
      {{"sing"}, "there is no command 'sing'"},
      {{"--sing"}, "there is no option '--sing'"},
      {{"classify"}, "MODEL is required"},
      {{"classify", model_}, "FILES is required"},
      {{"classify", model_, "x.wav", "--sing"}, "there is no option '--sing'"},
      {{"classify", model_, "-x.wav"}, "there is no option '-x.wav'"},
      {{"classify", model_, "x.wav", "--exit", "0x1"}, "'0x1' is not a whole number"},
      {{"classify", model_, "x.wav", "--threshold", "-1"}, "'-1'"},
      {{"classify", model_, "x.wav", "--threshold", "nan"}, "'nan'"},
      {{"classify", model_, "x.wav", "--threshold=inf"}, "'inf'"},
      {{"classify", model_, "x.wav", "--threshold", "0,5"}, "'0,5'"},
      {{"classify", model_, "x.wav", "--threshold", "1e300"}, "threshold"},
      {{"classify", model_, "x.wav", "--threshold"}, "--threshold needs a value"},
      {{"classify", model_, "x.wav", "--json=out"}, "--json takes no value"},
      {{"classify", model_, "x.wav", "--threshold", "half"}, "'half'"},
      {{"classify", model_, "x.wav", "--rule", "margin", "--threshold", "2"}, "from 0 to 1"},
      {{"classify", model_, "x.wav", "--rule", "patience", "--threshold", "1.5"}, "whole number"},
      {{"classify", model_, "x.wav", "--rule", "mood"}, "entropy, max-probability, margin, patience"},
      {{"classify", model_, "x.wav", "--exit", "4"}, "from 1 to 3"},
      {{"classify", model_, "x.wav", "--exit", "0"}, "--exit"},
      {{"classify", model_, "x.wav", "--exit", "1", "--threshold", "0.5"}, "--exit"},
      {{"classify", model_, "x.wav", "--only", "yes,maybe"}, "'maybe'"},
      {{"classify", model_, "x.wav", "--segment", "middle"}, "whole, centre, loudest"},
      {{"classify", model_, "x.wav", "--rate", "8000"}, "--raw"},
      {{"classify", model_, "x.wav", "--raw", "--rate", "999"}, "from 1000 to 768000"},
      {{"classify", model_, "x.wav", "--raw", "--channels", "-2"}, "--channels"},
      {{"classify", model_, "--raw", kSamples}, "--raw takes files or -, not folders"},
      {{"classify", model_, "-", "-"}, "only once"},
      {{"classify", "", "x.wav"}, "MODEL: is empty"},
      {{"classify", model_, "x.wav", ""}, "FILES: is empty"},
      {{"classify", model_, "x.wav", "--only", ""}, "--only: is empty"},
      {{"evaluate", model_, "--data", ""}, "--data: is empty"},
      {{"evaluate", model_, "--data", kSamples, "--json", ""}, "--json: is empty"},
      {{"evaluate", model_}, "--data is required"},
      {{"evaluate", model_, "--data", kSamples, "--threshold", "nan"}, "'nan'"},
      {{"evaluate", model_, "--data", kSamples, "--threshold", "-0.5"}, "'-0.5'"},
      {{"evaluate", model_, "--data", kSamples, "--exit", "1"}, "--exit goes with --per-clip"},
      {{"evaluate", model_, "--data", kSamples, "--split", "exam"}, "test"},
      {{"evaluate", model_, "--data", kSamples, "--layout", "heap"}, "folders"},
      {{"evaluate", model_, "--data", kSamples, "--tables", "exits,heap"}, "'heap'"},
      {{"evaluate", model_, "--data", kSamples, "--threads", "0"}, "--threads"},
      {{"classify", model_, kSamples, "--threads", "0"}, "--threads"},
      {{"evaluate", model_, "--data", kSamples, "--only", "maybe"}, "'maybe'"},
      {{"evaluate", model_, "--data", kSamples, "--seed", "1"}, "--seed"},
      {{"export"}, "MODEL is required"},
      {{"export", model_}, "--out is required"},
      {{"export", "", "--out", "x"}, "MODEL: is empty"},
      {{"export", model_, "--out", "x", "--to", "tflite"}, "bittern, onnx"},
      {{"export", model_, "--out", "x", "--to", "onnx", "--exits", "none"},
       "neither all, each nor the number"},
      {{"export", model_, "--out", "x", "--to", "onnx", "--exits", "0"}, "neither all, each nor the number"},
      {{"export", "--out", "x", "--exits", "all", "--", model_}, "--exits goes with --to onnx"},
      {{"export", model_, "--out", "x", "--exits", "all"}, "--exits goes with --to onnx"},
      {{"export", model_, "--out", "x.onnx"}, "ends in .onnx, but --to is bittern"},
      {{"export", model_, "--out", "x.ONNX"}, "ends in .onnx, but --to is bittern"},
      {{"inspect"}, "MODEL"},
      {{"inspect", model_, "more", "words"}, "'more' is one argument too many"},
      {{"evaluate", model_, "--data", kSamples, "x"}, "'x' is one argument too many"},
      {{"inspect", "--architecture", "slownet", "--classes", "12"}, "quicknet"},
      {{"inspect", "--architecture", "quicknet", "--classes", "-1"}, "--classes"},
      {{"inspect", "--architecture", "quicknet", "--classes", "12", "--placement", "nowhere"}, "nowhere"},
      {{"inspect", "--architecture", "quicknet", "--classes", "12", "--input", "1x1x1"}, "1x1x1"},
  };
  for (const Case& wrong : cases) {
    std::string shown;
    for (const std::string& argument : wrong.arguments) shown += " " + argument;
    SCOPED_TRACE("bittern" + shown);
    expect_wrong_usage(bittern(wrong.arguments), wrong.what);
  }
}

TEST_F(Usage, ADecimalCommaChangesNothing) {
  const char* german = "de_DE.UTF-8";
  locale_t locale = ::newlocale(LC_ALL_MASK, german, nullptr);
  if (locale == nullptr) GTEST_SKIP() << "this machine has no locale " << german << " (Debian: locales-all)";
  ::freelocale(locale);
  const std::vector<std::vector<std::string>> commands{
      {"evaluate", model_, "--data", kSamples, "--rule", "margin", "--threshold", "0.25", "--per-clip"},
      {"evaluate", model_, "--data", kSamples, "--json", "-"},
      {"inspect", model_},
      {"inspect", model_, "--json"},
  };
  for (const auto& command : commands) {
    const Finished plain = bittern(command, {.environment = {"LC_ALL=C"}});
    const Finished comma = bittern(command, {.environment = {std::string("LC_ALL=") + german}});
    EXPECT_EQ(plain.status, 0) << plain.err;
    EXPECT_EQ(comma.status, 0) << comma.err;
    EXPECT_EQ(plain.out, comma.out);
    EXPECT_NE(plain.out.find("0.5"), std::string::npos);
  }
}

TEST_F(Usage, AFullDiskUnderStandardOutputIsAFailure) {
  for (const std::vector<std::string>& command : {std::vector<std::string>{"--help"},
                                                  {"classify", model_, kSamples},
                                                  {"classify", model_, kSamples, "--json"},
                                                  {"evaluate", model_, "--data", kSamples},
                                                  {"inspect", model_}}) {
    SCOPED_TRACE(command[0]);
    expect_failure(bittern(command, {.output = "/dev/full"}), "standard output: cannot write");
  }
}

TEST_F(Usage, AClosedStandardStreamIsNoFilesPlace) {
  const std::string recording = path("tone.mp3");
  ASSERT_TRUE(write_audio(recording, SF_FORMAT_MPEG | SF_FORMAT_MPEG_LAYER_III, tone(16000)));
  const std::string classify = "\"$BITTERN\" classify '" + model_ + "' '" + recording + "' --json ";
  const auto answer = [](const Finished& finished) {
    EXPECT_EQ(finished.status, 0) << finished.err;
    nlohmann::json said = json_lines(finished.out).at(0);
    said.erase("time_us");
    return said;
  };
  const nlohmann::json open = answer(shell(classify));
  EXPECT_EQ(answer(shell(classify + "2>&-")), open);
  EXPECT_EQ(answer(shell(classify + "<&- 2>&-")), open);
  EXPECT_EQ(answer(shell(classify + "<&-")), open);
  expect_failure(shell(classify + ">&-"), "standard output: cannot write");
  EXPECT_EQ(shell(classify + "<&- >&- 2>&-").status, 1);
  expect_failure(shell("\"$BITTERN\" classify '" + model_ + "' - <&-"), "standard input");
}

TEST_F(Usage, AReaderThatHasSeenEnoughEndsTheProgramQuietly) {
  const Finished piped = shell("trap '' PIPE; \"$BITTERN\" classify '" + model_ + "' '" + kSamples +
                               "' --json 2>&1 | head -n 1");
  EXPECT_EQ(piped.err, "");
  EXPECT_EQ(json_lines(piped.out).size(), 1U);
  // The pipe's end is closed before the program starts.
  const Finished closed = shell("{ sleep 0.2; \"$BITTERN\" classify '" + model_ + "' '" + kSamples +
                                "' --json; echo \"status $?\" >&2; } | true");
  EXPECT_EQ(closed.err, "status 141\n");
}

}  // namespace
}  // namespace bittern::test
