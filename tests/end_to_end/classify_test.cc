#include <sys/stat.h>

#include <cmath>
#include <set>

#include "audio/audio.h"
#include "end_to_end/command_line.h"

namespace bittern::test {
namespace {

using Json = nlohmann::json;

class Classify : public CommandLine {
 protected:
  std::vector<Json> answers(std::vector<std::string> arguments, Start start = {}) {
    arguments.insert(arguments.begin(), {"classify", model_, "--json"});
    const Finished finished = bittern(std::move(arguments), std::move(start));
    EXPECT_EQ(finished.status, 0) << finished.err;
    EXPECT_EQ(finished.err, "");
    return json_lines(finished.out);
  }

  const std::string yes_ = kSamples + "/test/yes/692a88e6_nohash_3.flac";
};

std::string numbered(int number) {
  const std::string digits = std::to_string(number);
  return std::string(4 - digits.size(), '0') + digits;
}

// All but the name and the time.
Json without_place(Json answer) {
  answer.erase("file");
  answer.erase("time_us");
  return answer;
}

TEST_F(Classify, PrintsOneObjectPerClipInOrder) {
  const std::vector<Json> said = answers({yes_, kSamples + "/test/no"});
  ASSERT_EQ(said.size(), 4U);
  EXPECT_EQ(said[0]["file"], yes_);
  EXPECT_LT(said[1]["file"].get<std::string>(), said[2]["file"].get<std::string>());
  for (const Json& answer : said) {
    std::set<std::string> keys;
    for (const auto& [key, _] : answer.items()) keys.insert(key);
    EXPECT_EQ(keys, (std::set<std::string>{"file", "label", "exit", "entropy", "probabilities", "macs_share",
                                           "time_us"}));
    const auto p = answer["probabilities"].get<std::vector<double>>();
    ASSERT_EQ(p.size(), kWords.size());
    double sum = 0, entropy = 0;
    for (const double x : p) {
      sum += x;
      if (x > 0) entropy -= x * std::log(x);
    }
    EXPECT_NEAR(sum, 1, 1e-5);
    EXPECT_NEAR(answer["entropy"].get<double>(), entropy, 1e-4);
    const auto best = static_cast<std::size_t>(std::max_element(p.begin(), p.end()) - p.begin());
    EXPECT_EQ(answer["label"], kWords[best]);
    EXPECT_GE(answer["exit"], 1);
    EXPECT_LE(answer["exit"], 3);
    EXPECT_GT(answer["time_us"], 0);
  }
}

TEST_F(Classify, AnOperatingPointOfTheModelDecides) {
  model::Model model = *model_data_;
  model.operating_points = {{"late", "entropy", {0.0F, 9.0F, 9.0F}, "two exits"},
                            {"early", "margin", {0.0F, 1.0F, 1.0F}, ""}};
  ASSERT_TRUE(model::save(model, model_).ok());
  EXPECT_EQ(answers({yes_, "--operating-point", "late"})[0]["exit"], 2);
  EXPECT_EQ(answers({yes_, "--operating-point", "early"})[0]["exit"], 1);
  expect_wrong_usage(bittern({"classify", model_, yes_, "--operating-point", "lazy"}), "it has: late, early");
  expect_wrong_usage(bittern({"classify", model_, yes_, "--operating-point", "late", "--exit", "1"}),
                     "--exit");

  const Finished finished = bittern({"evaluate", model_, "--data", kSamples, "--json", "-", "--per-clip",
                                     "--operating-point", "late", "--quiet"});
  ASSERT_EQ(finished.status, 0) << finished.err;
  const Json report = Json::parse(finished.out);
  EXPECT_EQ(report["policy"], "operating point late");
  for (const Json& clip : report["clips"]) EXPECT_EQ(clip["exit"], 2);
  ASSERT_EQ(report["operating_points"].size(), 2U);
  EXPECT_EQ(report["operating_points"][0]["name"], "late");
  EXPECT_EQ(report["operating_points"][0]["promise"], "two exits");
  EXPECT_EQ(report["operating_points"][0]["histogram"], Json({0, 36, 0}));
  EXPECT_EQ(report["operating_points"][0]["accuracy"], report["exits"][1]["accuracy"]);
  EXPECT_EQ(report["operating_points"][1]["histogram"], Json({36, 0, 0}));
  for (const Json& row : report["rules"]) EXPECT_NE(row["threshold"], 9.0);
}

TEST_F(Classify, ALinkThatLeadsNowhereDoesNotHideItsNeighbours) {
  const auto folder = folder_ / "links";
  std::filesystem::create_directories(folder);
  std::filesystem::create_symlink("loop.wav", folder / "loop.wav");
  std::filesystem::create_symlink("gone.wav", folder / "lost.wav");
  write_bytes(folder / "good.flac", read_bytes(yes_));
  const Finished finished = bittern({"classify", model_, folder.string(), "--json"});
  EXPECT_EQ(finished.status, 1);
  EXPECT_EQ(json_lines(finished.out).size(), 1U);
  for (const char* name : {"loop.wav: ", "lost.wav: "})
    EXPECT_NE(finished.err.find(name), std::string::npos) << finished.err;
}

TEST_F(Classify, AgreesWithEvaluate) {
  const std::vector<Json> said = answers({kSamples, "--rule", "margin", "--threshold", "0.3"});
  const Finished evaluated = bittern({"evaluate", model_, "--data", kSamples, "--rule", "margin",
                                      "--threshold", "0.3", "--per-clip", "--json", "-"});
  ASSERT_EQ(evaluated.status, 0) << evaluated.err;
  const Json report = Json::parse(evaluated.out);
  ASSERT_EQ(said.size(), 36U);
  ASSERT_EQ(report["clips"].size(), said.size());
  std::set<int> exits;
  std::set<std::string> labels;
  for (const Json& row : report["clips"]) {
    const auto same = std::find_if(said.begin(), said.end(), [&](const Json& answer) {
      return answer["file"] == kSamples + "/" + row["file"].get<std::string>();
    });
    ASSERT_NE(same, said.end()) << row["file"];
    for (const char* key : {"label", "exit", "entropy", "macs_share"}) EXPECT_EQ(row[key], (*same)[key]);
    exits.insert(row["exit"].get<int>());
    labels.insert(row["label"].get<std::string>());
  }
  // Else the agreement would say little.
  EXPECT_GE(exits.size(), 2U);
  EXPECT_GE(labels.size(), 2U);
}

TEST_F(Classify, ExitAndThresholdDecideWhereItLeaves) {
  for (int exit = 1; exit <= 3; ++exit)
    EXPECT_EQ(answers({yes_, "--exit", std::to_string(exit)})[0]["exit"], exit);
  EXPECT_EQ(answers({yes_, "--threshold", "100"})[0]["exit"], 1);
  EXPECT_EQ(answers({yes_, "--threshold", "0"})[0]["exit"], 3);
  const double first = answers({yes_, "--exit", "1"})[0]["macs_share"].get<double>();
  EXPECT_LT(first, 1);
  EXPECT_EQ(answers({yes_, "--exit", "3"})[0]["macs_share"], 1);
}

TEST_F(Classify, OnlyRenormalisesOverTheseLabels) {
  const Json all = answers({yes_, "--exit", "3"})[0];
  const Json some = answers({yes_, "--exit", "3", "--only", "no,yes,up"})[0];
  const auto p = all["probabilities"].get<std::vector<double>>(),
             q = some["probabilities"].get<std::vector<double>>();
  const std::set<std::string> only{"no", "yes", "up"};
  double kept = 0;
  for (std::size_t i = 0; i < kWords.size(); ++i)
    if (only.contains(kWords[i])) kept += p[i];
  for (std::size_t i = 0; i < kWords.size(); ++i)
    EXPECT_NEAR(q[i], only.contains(kWords[i]) ? p[i] / kept : 0, 1e-5);
  EXPECT_TRUE(only.contains(some["label"].get<std::string>()));
}

TEST_F(Classify, StandardInputGivesTheSameAnswerAsTheFile) {
  const Json file = answers({yes_})[0];
  for (const std::string& how : {"\"$BITTERN\" classify '" + model_ + "' - --json < '" + yes_ + "'",
                                 "cat '" + yes_ + "' | \"$BITTERN\" classify '" + model_ + "' --json -"}) {
    const Finished finished = shell(how);
    ASSERT_EQ(finished.status, 0) << finished.err;
    const Json piped = json_lines(finished.out).at(0);
    EXPECT_EQ(piped["file"], "-");
    EXPECT_EQ(without_place(piped), without_place(file));
  }
}

TEST_F(Classify, RawPcmGivesTheSameAnswerAsTheSameSamplesInAWav) {
  std::vector<int> values;
  for (const float x : tone(16000, 700)) values.push_back(static_cast<int>(x * 32767));
  write_bytes(path("tone.pcm"), pcm16(values));
  write_bytes(path("tone.wav"),
              riff(chunk("fmt ", format_body(1, 1, 16000, 16)) + chunk("data", pcm16(values))));
  const Json wav = answers({path("tone.wav")})[0];
  EXPECT_EQ(without_place(answers({path("tone.pcm"), "--raw"})[0]), without_place(wav));
  EXPECT_EQ(without_place(answers({"-", "--raw", "--rate", "16000", "--channels", "1"},
                                  {.input = path("tone.pcm")})[0]),
            without_place(wav));
  write_bytes(path("8k.wav"),
              riff(chunk("fmt ", format_body(1, 2, 8000, 16)) + chunk("data", pcm16(values))));
  EXPECT_EQ(without_place(answers({path("tone.pcm"), "--raw", "--rate", "8000", "--channels", "2"})[0]),
            without_place(answers({path("8k.wav")})[0]));
}

TEST_F(Classify, SegmentsOfALongClip) {
  // A second of tone in the middle of silence, and a louder one at the end.
  constexpr std::ptrdiff_t kSecond = 16000;
  std::vector<float> samples(5 * kSecond);
  const std::vector<float> middle = tone(16000, 500, 16000, 0.1), end = tone(16000, 2000, 16000, 0.5);
  std::copy(middle.begin(), middle.end(), samples.begin() + 2 * kSecond);
  std::copy(end.begin(), end.end(), samples.begin() + 4 * kSecond);
  ASSERT_TRUE(audio::write_wav(path("long.wav"), samples, 16000).ok());
  const auto window = static_cast<std::ptrdiff_t>(model_data_->front_end.clip_samples);
  const auto cut = [&](std::ptrdiff_t begin) {
    return std::vector<float>(samples.begin() + begin, samples.begin() + begin + window);
  };
  const auto centre = (static_cast<std::ptrdiff_t>(samples.size()) - window) / 2;
  ASSERT_TRUE(audio::write_wav(path("centre.wav"), cut(centre), 16000).ok());
  EXPECT_EQ(without_place(answers({path("long.wav"), "--segment", "centre"})[0]),
            without_place(answers({path("centre.wav")})[0]));
  const Json whole = answers({path("long.wav"), "--segment", "whole"})[0];
  EXPECT_EQ(without_place(answers({path("long.wav")})[0]), without_place(whole));
  EXPECT_NE(answers({path("long.wav"), "--segment", "loudest"})[0]["probabilities"], whole["probabilities"]);
}

TEST_F(Classify, TheTableSaysTheSameAsTheJson) {
  const std::vector<Json> said = answers({kSamples + "/test/go"});
  const Finished table = bittern({"classify", model_, kSamples + "/test/go"});
  ASSERT_EQ(table.status, 0);
  const std::vector<std::string> rows = lines(table.out);
  ASSERT_EQ(rows.size(), said.size() + 2);
  for (const char* title : {"file", "label", "probability", "exit", "entropy", "work", "time"})
    EXPECT_NE(rows[0].find(title), std::string::npos) << title;
  for (std::size_t i = 0; i < said.size(); ++i) {
    EXPECT_NE(rows[i + 2].find(said[i]["file"].get<std::string>()), std::string::npos);
    EXPECT_NE(rows[i + 2].find(said[i]["label"].get<std::string>()), std::string::npos);
  }
}

TEST_F(Classify, ABadFileDoesNotStopTheOthers) {
  write_bytes(path("bad.wav"), "this is no recording");
  const Finished finished =
      bittern({"classify", model_, yes_, path("bad.wav"), path("gone.wav"), yes_, "--json"});
  EXPECT_EQ(finished.status, 1);
  EXPECT_EQ(json_lines(finished.out).size(), 2U);
  const std::vector<std::string> said = lines(finished.err);
  ASSERT_EQ(said.size(), 2U) << finished.err;
  EXPECT_NE(said[0].find("bad.wav"), std::string::npos);
  EXPECT_NE(said[1].find("gone.wav"), std::string::npos);
}

// Everything but the times: the last column of the table with what fills it up, the last field of an object.
std::string without_times(const std::string& text) {
  std::string rest;
  for (const std::string& line : lines(text)) {
    const std::string kept = line.substr(0, line.find_last_of(" ,"));
    rest += kept.substr(0, kept.find_last_not_of(' ') + 1) + "\n";
  }
  return rest;
}

TEST_F(Classify, ThreadsChangeNothingButTimes) {
  const std::vector<std::string> recordings = [] {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(kSamples + "/test"))
      if (entry.path().extension() == ".flac") found.push_back(entry.path().string());
    std::sort(found.begin(), found.end());
    return found;
  }();
  std::vector<int> values;
  for (const float x : tone(20000, 700)) values.push_back(static_cast<int>(x * 32767));
  const auto folder = folder_ / "many";
  std::filesystem::create_directories(folder);
  for (int i = 0; i < 200; ++i) {
    const std::string name = numbered(i);
    switch (i % 10) {
      case 3:
        write_bytes(folder / (name + ".wav"), "this is no recording");
        break;
      case 5:  // a format that is resampled
        write_bytes(folder / (name + ".wav"), riff(chunk("fmt ", format_body(1, 1, 8000 + 100 * i, 16)) +
                                                   chunk("data", pcm16(values))));
        break;
      case 7:  // ends inside itself
        write_bytes(folder / (name + ".flac"), read_bytes(recordings[0]).substr(0, 4000));
        break;
      case 8:  // silences standard error while it is read
        write_bytes(folder / (name + ".mp3"), "ID3 and no more");
        break;
      default:
        std::filesystem::create_symlink(recordings[static_cast<std::size_t>(i) % recordings.size()],
                                        folder / (name + ".flac"));
    }
  }
  for (const bool json : {true, false}) {
    std::vector<std::string> line{"classify", model_, folder.string(), path("gone.wav"), "--threads", "1"};
    if (json) line.emplace_back("--json");
    const Finished one = bittern(line);
    EXPECT_EQ(one.status, 1);
    EXPECT_EQ(lines(one.err).size(), 61U);
    EXPECT_EQ(lines(one.out).size(), json ? 140U : 142U);
    for (const char* threads : {"2", "8"}) {
      line[5] = threads;
      for (int repeat = 0; repeat < 3; ++repeat) {
        const Finished many = bittern(line);
        EXPECT_EQ(many.status, 1);
        EXPECT_EQ(many.err, one.err);
        EXPECT_EQ(without_times(many.out), without_times(one.out));
      }
    }
  }
}

TEST_F(Classify, NamesThatBreakLinesOrAreNotUtf8StayOnTheirLine) {
  const std::string odd = path("two\nlines \xE9.flac");
  std::filesystem::copy_file(yes_, odd);
  EXPECT_EQ(answers({odd}).size(), 1U);
  EXPECT_EQ(lines(bittern({"classify", model_, odd}).out).size(), 3U);
  expect_failure(bittern({"classify", model_, odd + ".gone"}), "gone");
}

TEST_F(Classify, NamesThatLookLikeSomethingElse) {
  for (const char* name : {"[ab]", "[a,b]", "{}", "ab", "-x.flac"})
    std::filesystem::copy_file(yes_, path(name));
  const std::string in_folder = "cd '" + folder_.path().string() + "' && \"$BITTERN\" classify tiny.bittern ";
  const Finished finished = shell(in_folder + "--json '[ab]' '[a,b]' '{}' ./-x.flac -- -x.flac");
  EXPECT_EQ(finished.status, 0) << finished.err;
  std::vector<std::string> files;
  for (const Json& answer : json_lines(finished.out)) files.push_back(answer["file"]);
  EXPECT_EQ(files, (std::vector<std::string>{"[ab]", "[a,b]", "{}", "./-x.flac", "-x.flac"}));
  expect_wrong_usage(shell(in_folder + "-x.flac"), "write './-x.flac'");
}

TEST_F(Classify, ARateWithALeadingZeroIsDecimal) {
  std::vector<int> values;
  for (const float x : tone(16000, 700)) values.push_back(static_cast<int>(x * 32767));
  write_bytes(path("tone.pcm"), pcm16(values));
  EXPECT_EQ(without_place(answers({path("tone.pcm"), "--raw", "--rate", "016000"})[0]),
            without_place(answers({path("tone.pcm"), "--raw"})[0]));
}

TEST_F(Classify, CtrlCWhileWaitingForInputEndsWith130) {
  const std::string pipe = path("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const int writer = ::open(pipe.c_str(), O_RDWR | O_CLOEXEC);  // never writes, so the reader waits
  ASSERT_GE(writer, 0);
  Start start;
  start.input = pipe;
  start.interrupt_after_ms = 3000;
  const Finished finished = bittern({"classify", model_, "-"}, start);
  ::close(writer);
  EXPECT_EQ(finished.status, 130);
  expect_one_line(finished, "interrupted");
}

}  // namespace
}  // namespace bittern::test
