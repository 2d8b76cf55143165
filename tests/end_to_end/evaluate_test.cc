#include <unistd.h>

#include <set>

#include "datasets/dataset.h"
#include "end_to_end/command_line.h"

namespace bittern::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

class Evaluate : public CommandLine {
 protected:
  // <folder>/data/test/<word>/<n>.flac: `clips` copies of one recording for each of two words.
  std::string make_data(int clips) {
    const std::string source = kSamples + "/test/yes/692a88e6_nohash_3.flac";
    for (const char* word : {"yes", "no"}) {
      fs::create_directories(folder_ / "data/test" / word);
      fs::copy_file(source, folder_ / "data/test" / word / "0.flac");
      for (int i = 1; i < clips; ++i)
        fs::create_hard_link(folder_ / "data/test" / word / "0.flac",
                             folder_ / "data/test" / word / (std::to_string(i) + ".flac"));
    }
    return path("data");
  }
};

void expect_accuracy(const Json& accuracy, std::size_t clips) {
  EXPECT_EQ(accuracy["clips"], clips);
  EXPECT_LE(accuracy["low"], accuracy["value"]);
  EXPECT_LE(accuracy["value"], accuracy["high"]);
  EXPECT_GE(accuracy["low"], 0);
  EXPECT_LE(accuracy["high"], 1);
}

TEST_F(Evaluate, TheReportCanBeLookedAt) {
  const Finished finished =
      bittern({"evaluate", model_, "--data", kSamples, "--quiet", "--report", path("report.html")});
#ifdef BITTERN_HAS_REPORTS
  EXPECT_EQ(finished.status, 0) << finished.err;
  const std::string html = read_bytes(path("report.html"));
  EXPECT_EQ(html.rfind("<!doctype html>", 0), 0U);
  EXPECT_NE(html.find("Accuracy by entropy threshold"), std::string::npos);
  EXPECT_EQ(bittern({"evaluate", model_, "--data", kSamples, "--report", path("none/report.html")}).status,
            1);
#else
  EXPECT_EQ(finished.status, 1);
  EXPECT_NE(finished.err.find("BITTERN_REPORTS"), std::string::npos) << finished.err;
#endif
}

TEST_F(Evaluate, TheReportHoldsTogether) {
  const Json json = report({"--data", kSamples});
  EXPECT_EQ(json["labels"], Json(kWords));
  EXPECT_EQ(json["data"]["clips"], 36);
  EXPECT_EQ(json["data"]["split"], "test");
  ASSERT_EQ(json["exits"].size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(json["exits"][i]["exit"], i + 1);
    expect_accuracy(json["exits"][i]["accuracy"], 36);
  }
  EXPECT_EQ(json["rules"].size(), 18U);  // five thresholds of four rules; of three exits no four agree
  for (const Json& rule : json["rules"]) {
    expect_accuracy(rule["accuracy"], 36);
    std::size_t clips = 0, weighted = 0;
    for (std::size_t e = 0; e < 3; ++e) {
      clips += rule["histogram"][e].get<std::size_t>();
      weighted += (e + 1) * rule["histogram"][e].get<std::size_t>();
      std::size_t over_classes = 0;
      for (const Json& row : rule["histogram_per_class"]) over_classes += row[e].get<std::size_t>();
      EXPECT_EQ(rule["histogram"][e], over_classes);
    }
    std::size_t agreed = 0;
    for (std::size_t c = 0; c < kWords.size(); ++c) {
      std::size_t row = 0;
      for (const Json& count : rule["confusion"][c]) row += count.get<std::size_t>();
      EXPECT_EQ(row, 3U);
      agreed += rule["confusion"][c][c].get<std::size_t>();
    }
    EXPECT_DOUBLE_EQ(rule["accuracy"]["value"].get<double>(), static_cast<double>(agreed) / 36);
    EXPECT_EQ(clips, 36U);
    EXPECT_DOUBLE_EQ(rule["average_exit"].get<double>(), static_cast<double>(weighted) / 36);
  }
  std::size_t right = 0;
  ASSERT_EQ(json["confusion"].size(), kWords.size());
  for (std::size_t c = 0; c < kWords.size(); ++c) {
    std::size_t row = 0;
    for (const Json& count : json["confusion"][c]) row += count.get<std::size_t>();
    EXPECT_EQ(row, 3U);
    right += json["confusion"][c][c].get<std::size_t>();
    EXPECT_EQ(json["per_class"][c]["label"], kWords[c]);
    expect_accuracy(json["per_class"][c]["accuracy"], 3);
  }
  EXPECT_DOUBLE_EQ(json["exits"][2]["accuracy"]["value"].get<double>(), static_cast<double>(right) / 36);
}

// The report, the table and the page say the same of probabilities and of operating points.
TEST_F(Evaluate, CalibrationAndOperatingPointsAreShown) {
  model::Model model = *model_data_;
  model.temperatures = {1.5F, 1.0F, 0.75F};
  model.operating_points = {{"swift", "entropy", {9.0F, 0.25F, 0.0F}, "all leave at once"},
                            {"thorough", "margin", {1.0F, 1.0F, 0.0F}, "none leave"}};
  ASSERT_TRUE(model::save(model, model_).ok());
  const Json json = report({"--data", kSamples});
  EXPECT_EQ(json["calibration_bins"], 15);
  const double temperatures[] = {1.5, 1.0, 0.75};
  for (std::size_t e = 0; e < 3; ++e) {
    const Json& exit = json["exits"][e];
    EXPECT_EQ(exit["temperature"], temperatures[e]);
    std::size_t clips = 0;
    for (const Json& bin : exit["reliability"]) {
      expect_accuracy(bin["accuracy"], bin["accuracy"]["clips"]);
      clips += bin["accuracy"]["clips"].get<std::size_t>();
    }
    EXPECT_EQ(clips, 36U);
  }
  EXPECT_EQ(json["exits"][1]["reliability"], json["exits"][1]["reliability_at_temperature_1"]);
  EXPECT_NE(json["exits"][0]["reliability"], json["exits"][0]["reliability_at_temperature_1"]);
  const Json& swift = json["operating_points"][0];
  const double last = json["exits"][2]["accuracy"]["value"];
  EXPECT_NEAR(swift["accuracy_loss"].get<double>(), last - swift["accuracy"]["value"].get<double>(), 1e-12);
  EXPECT_NEAR(swift["accuracy_loss"].get<double>() * 36,
              swift["clips_lost"].get<double>() - swift["clips_won"].get<double>(), 1e-9);
  EXPECT_EQ(json["operating_points"][1]["accuracy_loss"], 0);

  const Finished printed = bittern({"evaluate", model_, "--data", kSamples, "--tables", "exits,rules"});
  EXPECT_NE(printed.out.find("calibration error over 15 bins"), std::string::npos) << printed.out;
  EXPECT_NE(printed.out.find("  1.500  "), std::string::npos) << printed.out;
  const auto rows = lines(printed.out);
  EXPECT_TRUE(std::ranges::any_of(rows, [](const std::string& line) {
    return line.starts_with("swift ") && line.find(" entropy  9 0.25 ") != std::string::npos &&
           line.ends_with(" 36 0 0                      all leave at once");
  })) << printed.out;
#ifdef BITTERN_HAS_REPORTS
  ASSERT_EQ(
      bittern({"evaluate", model_, "--data", kSamples, "--quiet", "--report", path("report.html")}).status,
      0);
  const std::string html = read_bytes(path("report.html"));
  EXPECT_NE(html.find("<td>swift</td><td>entropy</td><td>9 0.25</td><td>all leave at once</td>"),
            std::string::npos);
  EXPECT_NE(html.find("<figure id=\"reliability\""), std::string::npos);
#endif
}

TEST_F(Evaluate, ThreadsChangeNothing) {
  report({"--data", kSamples, "--per-clip", "--threads", "1"});
  const std::string one = read_bytes(path("report.json"));
  report({"--data", kSamples, "--per-clip", "--threads", "5"});
  EXPECT_EQ(read_bytes(path("report.json")), one);
  const Finished printed = bittern({"evaluate", model_, "--data", kSamples, "--per-clip", "--json", "-"});
  EXPECT_EQ(printed.out, one);
}

// Of Speech Commands in twelve classes, the training clips of _unknown_ are drawn.
TEST_F(Evaluate, ReadsTheDataAsTheModelsTrainingDid) {
  const fs::path data = folder_ / "data";
  std::vector<std::string> words = kWords;
  words.insert(words.end(), {"bed", "bird", "cat"});
  for (const std::string& word : words) {
    if (word.starts_with("_")) continue;
    fs::create_directories(data / word);
    for (int speaker = 0; speaker < 8; ++speaker)
      fs::copy_file(kSamples + "/test/yes/692a88e6_nohash_3.flac",
                    data / word / ("0000000" + std::to_string(speaker) + "_nohash_0.wav"));
  }
  write_bytes(data / "validation_list.txt", "");
  write_bytes(data / "testing_list.txt", "");
  std::set<std::string> digests;
  for (const std::uint64_t seed : {0U, 1U, 2U}) {
    model::Model model = *model_data_;
    model.provenance.seed = seed;
    ASSERT_TRUE(model::save(model, model_).ok());
    const Json json = report({"--data", data.string(), "--layout", "speech-commands", "--split", "train"});
    const auto drawn = datasets::scan(data, {.layout = "speech-commands", .seed = seed});
    ASSERT_TRUE(drawn.ok()) << drawn.error().message;
    EXPECT_EQ(json["data"]["digest"], drawn->digest());
    digests.insert(drawn->digest());
  }
  EXPECT_GT(digests.size(), 1U);
}

// Of speakers that the names tell, and of none.
TEST_F(Evaluate, EachClipHasItsSpeaker) {
  const Json json = report({"--data", kSamples, "--per-clip"});
  std::set<std::string> speakers;
  std::size_t unknown = 0;
  for (const Json& clip : json["clips"]) {
    if (clip["speaker"].is_null()) {
      ++unknown;
      EXPECT_EQ(clip["truth"], "_silence_");
    } else {
      const std::string speaker = clip["speaker"];
      EXPECT_NE(clip["file"].get<std::string>().find(speaker + "_nohash_"), std::string::npos);
      speakers.insert(speaker);
    }
  }
  EXPECT_EQ(json["data"]["speakers"], speakers.size());
  EXPECT_EQ(json["data"]["clips_of_unknown_speakers"], unknown);
  EXPECT_GT(unknown, 0U);
}

// What a split lacks that is not measured is no one's concern.
TEST_F(Evaluate, WarnsOfTheSplitThatIsMeasured) {
  make_data(2);
  fs::create_directories(folder_ / "data/train/yes");
  fs::copy_file(folder_ / "data/test/yes/0.flac", folder_ / "data/train/yes/0.flac");
  EXPECT_EQ(bittern({"evaluate", model_, "--data", path("data")}).err, "");
  EXPECT_EQ(bittern({"evaluate", model_, "--data", path("data"), "--split", "all"}).err, "");
  expect_one_line(bittern({"evaluate", model_, "--data", path("data"), "--split", "train"}),
                  "label 'no' has no clips in train");
}

TEST_F(Evaluate, LabelsThatTheModelLacksAreNamed) {
  make_data(1);
  fs::rename(folder_ / "data/test/no", folder_ / "data/test/perhaps");
  expect_failure(bittern({"evaluate", model_, "--data", path("data")}), "perhaps");
  EXPECT_EQ(bittern({"evaluate", model_, "--data", path("data"), "--only", "yes,no"}).status, 0);
}

TEST_F(Evaluate, FoldersThatAreNotThereOrHoldNothing) {
  expect_failure(bittern({"evaluate", model_, "--data", path("gone")}), "gone");
  fs::create_directories(folder_ / "empty");
  expect_failure(bittern({"evaluate", model_, "--data", path("empty")}), "empty");
  expect_failure(bittern({"evaluate", model_, "--data", model_}), "tiny.bittern");
  expect_failure(bittern({"evaluate", model_, "--data", kSamples, "--split", "train"}),
                 "no train clips (there are: test 36); choose --split test or all");
  EXPECT_EQ(bittern({"evaluate", model_, "--data", kSamples, "--split", "all"}).status, 0);
}

TEST_F(Evaluate, AFewUnreadableClipsAreSkippedAndCounted) {
  make_data(30);
  write_bytes(folder_ / "data/test/yes/bad.wav", "no recording at all");
  const Finished finished =
      bittern({"evaluate", model_, "--data", path("data"), "--json", path("report.json")});
  EXPECT_EQ(finished.status, 0);
  expect_one_line(finished, "bad.wav");
  EXPECT_NE(finished.out.find("1 unreadable"), std::string::npos);
  EXPECT_EQ(Json::parse(read_bytes(path("report.json")))["data"]["skipped"], 1);
  const Finished quiet = bittern({"evaluate", model_, "--data", path("data"), "--quiet"});
  EXPECT_EQ(quiet.status, 0);
  EXPECT_EQ(quiet.out + quiet.err, "");
  for (const char* name : {"b.wav", "c.wav", "d.wav"})
    write_bytes(folder_ / "data/test/no" / name, "no recording at all");
  expect_failure(bittern({"evaluate", model_, "--data", path("data")}), "5 %");
}

TEST_F(Evaluate, ClipsThatNoSessionTakesAreSkippedToo) {
  make_data(20);
  std::vector<float> loud = tone(16000);
  loud[9000] = 5000;
  ASSERT_TRUE(write_audio(folder_ / "data/test/yes/loud.wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT, loud, 16000));
  ASSERT_TRUE(write_audio(folder_ / "data/test/no/long.wav", SF_FORMAT_WAV | SF_FORMAT_PCM_U8,
                          std::vector<float>(1100000), 1600));
  const Finished finished =
      bittern({"evaluate", model_, "--data", path("data"), "--json", path("report.json")});
  EXPECT_EQ(finished.status, 0);
  const std::vector<std::string> said = lines(finished.err);
  ASSERT_EQ(said.size(), 2U) << finished.err;
  EXPECT_NE(said[0].find("long.wav: a clip of 11000000 samples is too long"), std::string::npos) << said[0];
  EXPECT_NE(said[1].find("loud.wav: sample 9000"), std::string::npos) << said[1];
  const Json json = Json::parse(read_bytes(path("report.json")));
  EXPECT_EQ(json["data"]["skipped"], 2);
  EXPECT_EQ(json["data"]["clips"], 40);
  // Where a segment is cut out, no clip is too long.
  EXPECT_EQ(report({"--data", path("data"), "--segment", "centre"})["data"]["clips"], 41);
}

TEST_F(Evaluate, AReportGoesBehindWhatStandardOutputHoldsAlready) {
  const Finished finished =
      shell("echo keep > '" + path("log") + "'; $BITTERN evaluate '" + model_ + "' --data '" + kSamples +
            "' --json /dev/stdout --tables exits >> '" + path("log") + "'");
  ASSERT_EQ(finished.status, 0) << finished.err;
  const std::string log = read_bytes(path("log"));
  EXPECT_TRUE(log.starts_with("keep\n")) << log.substr(0, 80);
  EXPECT_NE(log.find("\"confusion\""), std::string::npos);
  EXPECT_NE(log.find("share"), std::string::npos);
}

TEST_F(Evaluate, AReportThatCannotBeWrittenIsAFailureAndLeavesNothing) {
  const std::size_t before = entries();
  expect_failure(bittern({"evaluate", model_, "--data", kSamples, "--json", "/dev/full"}), "/dev/full");
  expect_failure(bittern({"evaluate", model_, "--data", kSamples, "--json", path("no/report.json")}), "no");
  expect_failure(bittern({"evaluate", model_, "--data", kSamples, "--json", folder_.path().string()}),
                 "folder");
  // Told before any work: the model is not there either.
  expect_failure(bittern({"evaluate", path("gone.bittern"), "--data", kSamples, "--json", path(".")}),
                 "is a folder");
  expect_failure(
      bittern({"evaluate", path("gone.bittern"), "--data", kSamples, "--json", path("no/report.json")}),
      "there is no folder");
  fs::create_symlink(path("no/report.json"), folder_ / "dangling.json");
  expect_failure(
      bittern({"evaluate", path("gone.bittern"), "--data", kSamples, "--json", path("dangling.json")}),
      "there is no folder");
  fs::remove(folder_ / "dangling.json");
  if (::geteuid() != 0) {
    fs::create_directories(folder_ / "closed");
    fs::permissions(folder_ / "closed", fs::perms::owner_read | fs::perms::owner_exec);
    expect_failure(
        bittern({"evaluate", path("gone.bittern"), "--data", kSamples, "--json", path("closed/report.json")}),
        "cannot write into");
    fs::remove(folder_ / "closed");
  }
  EXPECT_EQ(entries(), before);
}

TEST_F(Evaluate, CtrlCEndsWith130AndLeavesTheOldReport) {
  make_data(6000);
  write_bytes(path("report.json"), "old");
  const std::size_t before = entries();
  // How long a start takes differs between machines: try until the signal meets the evaluation at work.
  Finished finished;
  for (int wait_ms = 200; wait_ms < 20000 && finished.status != 130; wait_ms += wait_ms / 5) {
    Start start;
    start.interrupt_after_ms = wait_ms;
    write_bytes(path("report.json"), "old");
    finished = bittern({"evaluate", model_, "--data", path("data"), "--json", path("report.json")}, start);
  }
  EXPECT_EQ(finished.status, 130);
  expect_one_line(finished, "interrupted");
  EXPECT_EQ(read_bytes(path("report.json")), "old");
  EXPECT_EQ(entries(), before);
}

}  // namespace
}  // namespace bittern::test
