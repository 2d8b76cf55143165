// What a training that goes on must find as it was, and what it says where it does not.
#include <gtest/gtest.h>

#include <fstream>
#include <functional>

#include "audio/temp_folder.h"
#include "training/sounds.h"
#include "training/trainer.h"

namespace bittern::training {
namespace {

namespace fs = std::filesystem;

// Stops a training after so many steps, and keeps what it is told.
class Watcher final : public TrainObserver {
 public:
  explicit Watcher(int stop_after) : left_(stop_after) {}
  void notice(const std::string& line) override { notices += line + '\n'; }
  void loading(std::size_t, std::size_t) override {}
  void loaded(int clips_read, int recordings_skipped) override {
    clips = clips_read;
    skipped = recordings_skipped;
  }
  void stepped(int, std::size_t, std::size_t, double) override { --left_; }
  void finished_epoch(const EpochReport&) override {}
  bool stop() override { return left_ <= 0; }

  std::string notices;
  int clips = 0;
  int skipped = 0;

 private:
  int left_;
};

constexpr int kNever = 1000;

class Resume : public testing::Test {
 protected:
  Resume() {
    write_sounds(folder_ / "data", 2, 1);
    for (const char* name : {"hum", "hiss"}) {
      fs::create_directories(folder_ / name);
      const auto samples = sound(name[1] == 'u' ? 3 : 0, 77, 32000);
      EXPECT_TRUE(audio::write_wav(folder_ / name / "long.wav", samples, 16000).ok());
    }
    options_.data = folder_ / "data";
    options_.noise = folder_ / "hum";
    options_.out = folder_ / "run";
    options_.recipe.architecture = "quicknet-small";
    options_.recipe.epochs = 2;
    options_.recipe.batch = 4;
    options_.checkpoint_every = 1;
  }
  Status train_until(int steps) {
    Watcher watcher(steps);
    const Status status = train(options_, watcher);
    notices_ = watcher.notices;
    return status;
  }
  // The run stopped within its first epoch, then `change`d and resumed.
  Status resumed_after(const std::function<void()>& change) {
    const Status stopped = train_until(1);
    EXPECT_FALSE(stopped.ok());
    EXPECT_EQ(stopped.error().code, ErrorCode::kCancelled) << stopped.error().message;
    options_.start = StartMode::kResume;
    change();
    return train_until(kNever);
  }
  void expect_refused(const Status& status, const std::string& what) {
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(status.error().message.find(what), std::string::npos) << status.error().message;
    EXPECT_FALSE(fs::exists(RunFolder{options_.out}.best()));
  }
  const test::TempFolder folder_;
  TrainOptions options_;
  std::string notices_;
};

TEST_F(Resume, GoesOnWhereAllIsAsItWas) {
  const Status resumed = resumed_after([] {});
  EXPECT_TRUE(resumed.ok()) << resumed.error().message;
}

TEST_F(Resume, RefusesOtherNoiseAndNone) {
  expect_refused(resumed_after([&] { options_.noise = folder_ / "hiss"; }),
                 "hiss: is other background noise");
  options_.noise.clear();
  expect_refused(train_until(kNever), "other background noise; give the same with --noise");
  // The same recordings in another folder are the same noise.
  fs::rename(folder_ / "hum", folder_ / "moved");
  options_.noise = folder_ / "moved";
  EXPECT_TRUE(train_until(kNever).ok());
}

TEST_F(Resume, RefusesOtherSamplesInTheSameFiles) {
  expect_refused(resumed_after([&] {
                   const fs::path clip = folder_ / "data" / "train" / "pitch-1" / "s0_1.wav";
                   EXPECT_TRUE(audio::write_wav(clip, sound(1, 5), 16000).ok());
                 }),
                 "data: gives other clips");
}

TEST_F(Resume, RefusesAnotherRecipe) {
  expect_refused(resumed_after([&] { options_.recipe.learning_rate = 0.5; }),
                 "learning_rate (0.004, not 0.5)");
}

// recipe.json is a file that people can edit; the checkpoint knows what was run.
TEST_F(Resume, RefusesARecipeThatWasEdited) {
  expect_refused(resumed_after([&] {
                   options_.recipe = RunFolder{options_.out}.read_recipe().value();
                   options_.recipe.epochs = 3;
                   EXPECT_TRUE(RunFolder{options_.out}.write_recipe(options_.recipe).ok());
                 }),
                 "not the recipe");
}

TEST_F(Resume, StartsAtTheFirstStepWhereNoCheckpointIs) {
  ASSERT_TRUE(train_until(kNever).ok());
  const std::string whole = test::read_bytes(RunFolder{options_.out}.best());

  options_.out = folder_ / "none-yet";  // killed before the folder was made
  options_.start = StartMode::kResume;
  ASSERT_TRUE(train_until(kNever).ok());
  EXPECT_NE(notices_.find("starting at the first step"), std::string::npos) << notices_;
  EXPECT_EQ(test::read_bytes(RunFolder{options_.out}.best()), whole);

  fs::remove(RunFolder{options_.out}.checkpoint());
  const Status lost = train_until(kNever);
  ASSERT_FALSE(lost.ok());
  EXPECT_NE(lost.error().message.find("checkpoint.pt: is missing, though 2 epochs"), std::string::npos)
      << lost.error().message;
  EXPECT_EQ(test::read_bytes(RunFolder{options_.out}.best()), whole);
}

// A slip must not cost a finished training.
TEST_F(Resume, OverwritingKeepsTheOldRunUntilTheNewDataAreRead) {
  ASSERT_TRUE(train_until(kNever).ok());
  const std::string best = test::read_bytes(RunFolder{options_.out}.best());
  options_.start = StartMode::kOverwrite;
  for (int clip = 0; clip < 2; ++clip)
    test::write_bytes(folder_ / "data" / "train" / "pitch-0" / ("s" + std::to_string(clip) + "_1.wav"),
                      "no sound");
  EXPECT_FALSE(train_until(kNever).ok());
  EXPECT_EQ(test::read_bytes(RunFolder{options_.out}.best()), best);
  EXPECT_TRUE(fs::exists(RunFolder{options_.out}.checkpoint()));
}

// Clips decide what is trained, not the name of their folder: the model says what it would have said.
TEST_F(Resume, KeepsWhatTheModelSaysOfItsOrigin) {
  options_.license = "CC0-1.0";
  ASSERT_TRUE(train_until(kNever).ok());
  const std::string whole = test::read_bytes(RunFolder{options_.out}.best());
  options_.start = StartMode::kOverwrite;
  const Status trained = resumed_after([&] {
    options_.license.clear();
    fs::rename(folder_ / "data", folder_ / "recordings");
    options_.data = folder_ / "recordings";
  });
  ASSERT_TRUE(trained.ok()) << trained.error().message;
  EXPECT_EQ(test::read_bytes(RunFolder{options_.out}.best()), whole);
}

TEST_F(Resume, RefusesAnotherLicence) {
  options_.license = "CC0-1.0";
  expect_refused(resumed_after([&] { options_.license = "MIT"; }), "started with --license 'CC0-1.0'");
  options_.start = StartMode::kOverwrite;
  options_.license.clear();
  expect_refused(resumed_after([&] { options_.license = "MIT"; }), "started without --license");
}

TEST_F(Resume, NoiseThatIsNotMixedInNeedNotBeReadable) {
  test::write_bytes(folder_ / "hum" / "long.wav", "no sound");
  EXPECT_FALSE(train_until(kNever).ok());
  options_.recipe.augment.noise_probability = 0;
  const Status trained = train_until(kNever);
  EXPECT_TRUE(trained.ok()) << trained.error().message;
}

TEST_F(Resume, UnreadableRecordingsAreLeftOutAndCounted) {
  write_sounds(folder_ / "data", 10, 1);
  test::write_bytes(folder_ / "data" / "train" / "pitch-2" / "s3_1.wav", "no sound");
  test::write_bytes(folder_ / "hum" / "bad.wav", "no sound");
  Watcher watcher(1);
  ASSERT_FALSE(train(options_, watcher).ok());  // stopped
  EXPECT_EQ(watcher.skipped, 2);
  EXPECT_EQ(watcher.clips, 4 * 11 - 1);
  for (const char* name : {"s3_1.wav", "bad.wav"})
    EXPECT_NE(watcher.notices.find(name), std::string::npos) << watcher.notices;

  fs::remove(folder_ / "hum" / "long.wav");
  options_.start = StartMode::kOverwrite;
  const Status silent = train_until(1);
  ASSERT_FALSE(silent.ok());
  EXPECT_NE(silent.error().message.find("no background recording can be read"), std::string::npos)
      << silent.error().message;
}

// What --precision auto means is settled when a run begins, not again on another machine.
TEST_F(Resume, AnAutomaticPrecisionIsThatOfTheStart) {
  options_.recipe.precision = Precision::kFp32;
  ASSERT_FALSE(train_until(1).ok());
  options_.start = StartMode::kResume;
  options_.recipe.precision = Precision::kAuto;
  const Status resumed = train_until(kNever);
  EXPECT_TRUE(resumed.ok()) << resumed.error().message;
  EXPECT_EQ(RunFolder{options_.out}.read_recipe().value().precision, Precision::kFp32);
}

}  // namespace
}  // namespace bittern::training
