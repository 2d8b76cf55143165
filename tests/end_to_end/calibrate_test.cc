#include "end_to_end/command_line.h"

namespace bittern::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

// <folder>/data/validation/<word>/<n>.flac: links to the samples, over and over, whose labels are what an
// exit of the model answers.
class Calibrate : public CommandLine {
 protected:
  Calibrate() {
    model::Model model = *model_data_;
    model.operating_points.clear();
    EXPECT_TRUE(model::save(model, model_).ok());
  }

  std::string make_data(int times, const char* right_exit = "3") {
    const Finished said = bittern({"classify", model_, kSamples, "--exit", right_exit, "--json"});
    for (const std::string& word : kWords) fs::create_directories(folder_ / "data/validation" / word);
    int number = 0;
    for (int time = 0; time < times; ++time) {
      for (const Json& answer : json_lines(said.out)) {
        const fs::path copy = folder_ / "data/validation" / answer["label"].get<std::string>() /
                              (std::to_string(++number) + ".flac");
        fs::create_symlink(answer["file"].get<std::string>(), copy);
      }
    }
    for (const std::string& word : kWords) {
      const fs::path folder = folder_ / "data/validation" / word;
      if (fs::is_empty(folder))
        fs::create_symlink(kSamples + "/test/yes/692a88e6_nohash_3.flac", folder / "0.flac");
    }
    return path("data");
  }

  Json calibrated(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"calibrate", model_, "--data", path("data"), "--json", "--quiet"});
    const Finished finished = bittern(std::move(arguments));
    EXPECT_EQ(finished.status, 0) << finished.err;
    return Json::parse(finished.out);
  }
};

TEST_F(Calibrate, StoresWhatItPromisesAndClassifyUsesIt) {
  make_data(10);
  const std::string before = read_bytes(model_);
  const Json dry = calibrated({"--budget-macs", "0.7", "--dry-run"});
  EXPECT_TRUE(dry["written"].is_null());
  EXPECT_EQ(read_bytes(model_), before);

  const Json found = calibrated({"--budget-macs", "0.7", "--out", path("new.bittern")});
  EXPECT_EQ(read_bytes(model_), before);
  EXPECT_EQ(found["written"], path("new.bittern"));
  EXPECT_EQ(found["budget_macs"], 0.7);
  EXPECT_LE(found["macs_share"], 0.7);
  EXPECT_EQ(found["clips_tuning"].get<int>() + found["clips_testing"].get<int>(), found["data"]["clips"]);
  EXPECT_EQ(found["operating_point"]["name"], "macs-0.7");

  const auto model = model::open(path("new.bittern")).value();
  ASSERT_EQ(model->operating_points.size(), 1U);
  const model::OperatingPoint& point = model->operating_points[0];
  EXPECT_EQ(point.promise, found["operating_point"]["promise"]);
  EXPECT_NE(point.promise.find("at most 0.7 of the network's work"), std::string::npos) << point.promise;
  EXPECT_EQ(model->self_test, model_data_->self_test);
  EXPECT_EQ(bittern({"inspect", path("new.bittern"), "--self-test"}).status, 0);
  for (std::size_t exit = 0; exit < 3; ++exit)
    EXPECT_EQ(static_cast<float>(found["exits"][exit]["temperature"].get<double>()),
              model->temperatures[exit]);

  const Finished classified =
      bittern({"classify", path("new.bittern"), kSamples, "--json", "--operating-point", "macs-0.7"});
  ASSERT_EQ(classified.status, 0) << classified.err;
  // Where each exit's entropy says that a clip must leave, whatever --operating-point does.
  std::vector<std::vector<Json>> at_exit;
  for (const char* exit : {"1", "2", "3"})
    at_exit.push_back(
        json_lines(bittern({"classify", path("new.bittern"), kSamples, "--json", "--exit", exit}).out));
  const std::vector<Json> answers = json_lines(classified.out);
  ASSERT_EQ(answers.size(), 36U);
  std::size_t early = 0;
  for (std::size_t clip = 0; clip < answers.size(); ++clip) {
    std::size_t exit = 0;
    while (exit < 2 && !(at_exit[exit][clip]["entropy"].get<float>() < point.thresholds[exit])) ++exit;
    EXPECT_EQ(answers[clip]["file"], at_exit[exit][clip]["file"]);
    EXPECT_EQ(answers[clip]["exit"], exit + 1) << answers[clip]["file"];
    EXPECT_EQ(answers[clip]["label"], at_exit[exit][clip]["label"]);
    early += exit < 2 ? 1 : 0;
  }
  EXPECT_GT(early, 0U);
  // Nor is it the default rule's doing.
  const Finished by_default = bittern({"classify", path("new.bittern"), kSamples, "--json"});
  std::size_t other = 0;
  const std::vector<Json> defaults = json_lines(by_default.out);
  for (std::size_t clip = 0; clip < answers.size(); ++clip)
    other += defaults[clip]["exit"] != answers[clip]["exit"] ? 1 : 0;
  EXPECT_GT(other, 0U);
}

// Samples by their names, of which `_silence_`'s tell no speaker.
TEST_F(Calibrate, OverSpeakersClipsWithoutOneAreLeftOut) {
  fs::create_directories(folder_ / "data/validation");
  std::size_t unknown = 0;
  for (const std::string& word : kWords) {
    fs::copy(kSamples + "/test/" + word, folder_ / "data/validation" / word);
    if (word == "_silence_")
      unknown = static_cast<std::size_t>(
          std::distance(fs::directory_iterator(folder_ / "data/validation" / word), {}));
  }
  const std::vector<std::string> over{"--over", "speakers", "--budget-macs", "0.9", "--confidence", "0.5"};
  const Json found = calibrated(over);
  EXPECT_EQ(found["clips_left_out"], unknown);
  EXPECT_EQ(found["clips_tuning"].get<std::size_t>() + found["clips_testing"].get<std::size_t>() + unknown,
            36U);
  std::vector<std::string> line{"calibrate", model_, "--data", path("data"), "--dry-run"};
  line.insert(line.end(), over.begin(), over.end());
  EXPECT_NE(
      bittern(line).out.find(std::to_string(unknown) + " clips left out: of speakers that are not known"),
      std::string::npos);
  for (const std::string& word : kWords)
    if (word != "_silence_") fs::remove_all(folder_ / "data/validation" / word);
  for (const std::string& word : kWords)
    if (word != "_silence_")
      fs::copy(folder_ / "data/validation/_silence_", folder_ / "data/validation" / word);
  line.back() = "0.9";
  expect_failure(bittern({"calibrate", model_, "--data", path("data"), "--quiet", "--over", "speakers"}),
                 "of no clip the speaker is known");
}

TEST_F(Calibrate, KeepsTemperaturesThatOtherPointsNeed) {
  make_data(10);
  EXPECT_EQ(calibrated({"--budget-macs", "0.7"})["temperatures_fitted"], true);
  const auto first = model::open(model_).value();
  EXPECT_EQ(calibrated({"--budget-macs", "0.8", "--name", "slow"})["temperatures_fitted"], false);
  const auto second = model::open(model_).value();
  EXPECT_EQ(second->temperatures, first->temperatures);
  ASSERT_EQ(second->operating_points.size(), 2U);
  EXPECT_EQ(second->operating_points[0], first->operating_points[0]);
  EXPECT_EQ(second->operating_points[1].name, "slow");
  EXPECT_EQ(calibrated({"--budget-macs", "0.8", "--name", "slow", "--forget"})["temperatures_fitted"], true);
  EXPECT_EQ(model::open(model_).value()->operating_points.size(), 1U);
}

TEST_F(Calibrate, TooFewClipsAreToldAndNothingIsWritten) {
  make_data(1, "1");  // leaving there loses nothing
  const std::string before = read_bytes(model_);
  expect_failure(bittern({"calibrate", model_, "--data", path("data"), "--quiet"}), "would be needed");
  EXPECT_EQ(read_bytes(model_), before);
}

TEST_F(Calibrate, MistakesAreOneLine) {
  make_data(1);
  const auto with = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"calibrate", model_, "--data", path("data"), "--quiet"});
    return bittern(std::move(arguments));
  };
  expect_wrong_usage(with({"--budget-macs", "2"}), "'2'");
  expect_wrong_usage(with({"--budget-macs", "0.5", "--budget-us", "100"}), "--budget-");
  expect_wrong_usage(with({"--confidence", "1"}), "'1'");
  expect_wrong_usage(with({"--split", "train"}), "'train'");
  // Advice names what the command has: neither `all` nor --only.
  const Finished no_test = with({"--split", "test"});
  expect_failure(no_test, "no test clips (there are: validation ");
  EXPECT_TRUE(no_test.err.ends_with("); choose --split validation\n")) << no_test.err;
  fs::create_directories(folder_ / "data/validation/maybe");
  fs::copy_file(kSamples + "/test/yes/692a88e6_nohash_3.flac", folder_ / "data/validation/maybe/0.flac");
  const Finished unknown = with({});
  expect_failure(unknown, "labels that the model lacks: maybe");
  EXPECT_EQ(unknown.err.find("--only"), std::string::npos) << unknown.err;
  fs::remove_all(folder_ / "data/validation/maybe");
  expect_failure(with({"--name", std::string(300, 'n')}), "--name");
  expect_failure(with({"--out", path("none/x.bittern")}), "none");
  expect_failure(with({"--budget-us", "1e9"}), "nothing need leave early");
}

}  // namespace
}  // namespace bittern::test
