// Does a promise hold as often as it says? Over 200 draws of clips, thresholds are chosen and then judged by
// many thousand other clips, which stand for all that there are.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "core/random.h"
#include "evaluation/calibrate.h"

namespace bittern::evaluation {
namespace {

constexpr std::size_t kExits = 4, kClasses = 5, kSplits = 200;
constexpr double kConfidence = 0.9;

// Clips of speakers. The deeper the exit, the further the true label's logit stands out; some clips are hard
// at every exit. Speakers share a part of what makes their clips hard.
struct World {
  Collected collected{.clips = 0, .exits = kExits, .classes = kClasses, .logits = {}, .shares = {}};
  Truth truth;

  World(std::size_t speakers, std::size_t clips_each, float shared, std::uint64_t seed) {
    Random random{0x90D, seed};
    for (std::size_t speaker = 0; speaker < speakers; ++speaker) {
      const float voice = random.uniform(-shared, shared);
      for (std::size_t i = 0; i < clips_each; ++i) {
        const auto label = static_cast<std::size_t>(random.below(kClasses));
        truth.labels.push_back(static_cast<int>(label));
        truth.groups.push_back(static_cast<std::uint32_t>(speaker));
        const float ease = random.uniform(0, 4) + voice;
        for (std::size_t exit = 0; exit < kExits; ++exit) {
          for (std::size_t c = 0; c < kClasses; ++c)
            collected.logits.push_back(
                2 * (random.uniform(-2, 2) + (c == label ? ease + 0.8F * static_cast<float>(exit) : 0)));
          collected.shares.push_back(0.25 * static_cast<double>(exit + 1));
        }
        ++collected.clips;
      }
    }
  }

  // What `found` really does.
  double value(const Calibration& found, Goal goal) const {
    const Answers answers = answer_all(collected, found.temperatures, {});
    const exits::Policy policy = exits::Policy::with_thresholds("entropy", found.thresholds).value();
    double sum = 0;
    for (std::size_t clip = 0; clip < collected.clips; ++clip) {
      const auto of_clip = answers.of(clip);
      const auto exit = static_cast<std::size_t>(exit_taken(of_clip, policy) - 1);
      const int label = truth.labels[clip];
      sum += goal == Goal::kAccuracyLoss
                 ? (of_clip.back().label == label ? 1.0 : 0.0) - (of_clip[exit].label == label ? 1.0 : 0.0)
                 : collected.shares_of(clip)[exit];
    }
    return sum / static_cast<double>(collected.clips);
  }
};

struct Kept {
  int promised = 0;
  int broken = 0;
  double share = 0;  // mean work where something was promised
};

Kept promises(const CalibrateOptions& options, std::size_t speakers, std::size_t clips_each, float shared) {
  const World everyone(6000 / clips_each, clips_each, shared, 0);
  Kept kept;
  for (std::size_t split = 1; split <= kSplits; ++split) {
    const World drawn(speakers, clips_each, shared, split);
    const auto found = calibrate(drawn.collected, drawn.truth, options);
    if (!found.ok()) continue;
    ++kept.promised;
    kept.broken += everyone.value(*found, options.goal) > options.limit ? 1 : 0;
    kept.share += found->outcome.macs_share;
  }
  kept.share /= std::max(kept.promised, 1);
  return kept;
}

int most_broken() { return static_cast<int>(std::lround((1 - kConfidence) * static_cast<double>(kSplits))); }

TEST(Promise, OfAccuracyHoldsAsOftenAsItSays) {
  const Kept kept = promises({.limit = 0.03, .confidence = kConfidence}, 800, 1, 0);
  EXPECT_LE(kept.broken, most_broken());
  EXPECT_GE(kept.promised, 150);
  EXPECT_LT(kept.share, 0.9);  // something was saved: the promise was not kept by doing nothing
}

TEST(Promise, OfWorkHoldsAsOftenAsItSays) {
  const Kept kept = promises({.goal = Goal::kMacs, .limit = 0.5, .confidence = kConfidence}, 400, 1, 0);
  EXPECT_LE(kept.broken, most_broken());
  EXPECT_GE(kept.promised, 190);
  EXPECT_GT(kept.share, 0.4);  // nor by leaving at exit 1 always
}

TEST(Promise, HoldsForSpeakersWhoseClipsAreAlike) {
  for (const bool by_speaker : {false, true}) {
    const Kept kept =
        promises({.limit = 0.04, .confidence = kConfidence, .by_speaker = by_speaker}, 200, 6, 1.5F);
    EXPECT_LE(kept.broken, most_broken()) << by_speaker;
    EXPECT_GE(kept.promised, 100) << by_speaker;
  }
}

// What the tests above would see of thresholds chosen by the mean alone.
TEST(Promise, WouldNotHoldWithoutTheTest) {
  const World everyone(6000, 1, 0, 0);
  int broken = 0;
  for (std::size_t split = 1; split <= kSplits; ++split) {
    const World drawn(800, 1, 0, split);
    const Halves halves = split_in_halves(drawn.truth.groups, 0);
    Calibration found;
    found.temperatures.assign(kExits, 1.0F);
    const Answers answers = answer_all(drawn.collected, found.temperatures, {});
    for (const Thresholds& thresholds :
         threshold_path(answers, drawn.truth, drawn.collected.shares, halves.tuning)) {
      double loss = 0;
      for (const std::size_t clip : halves.testing)
        loss += accuracy_loss(answers.of(clip), drawn.truth.labels[clip], thresholds);
      if (loss / static_cast<double>(halves.testing.size()) <= 0.03) found.thresholds = thresholds;
    }
    broken += everyone.value(found, Goal::kAccuracyLoss) > 0.03 ? 1 : 0;
  }
  EXPECT_GT(broken, 2 * most_broken());
}

TEST(Calibrate, SaysHowManyClipsWouldDo) {
  const World few(60, 1, 0, 1);
  const auto found = calibrate(few.collected, few.truth, {.limit = 0.01});
  ASSERT_FALSE(found.ok());
  EXPECT_NE(found.error().message.find("there are 60 clips, about "), std::string::npos)
      << found.error().message;
  EXPECT_NE(found.error().message.find(" would be needed"), std::string::npos) << found.error().message;
}

TEST(Calibrate, RefusesABudgetThatIsOutOfReachOrNone) {
  const World some(2000, 1, 0, 1);
  const auto work = calibrate(some.collected, some.truth, {.goal = Goal::kMacs, .limit = 0.2});
  ASSERT_FALSE(work.ok());
  EXPECT_NE(work.error().message.find("exit 1 always takes 0.25"), std::string::npos) << work.error().message;
  CalibrateOptions slow{.goal = Goal::kTime, .limit = 500};
  slow.exit_us = {100, 200, 300, 400};
  const auto time = calibrate(some.collected, some.truth, slow);
  ASSERT_FALSE(time.ok());
  EXPECT_NE(time.error().message.find("400 us"), std::string::npos) << time.error().message;
  slow.limit = 200;
  const auto within = calibrate(some.collected, some.truth, slow);
  ASSERT_TRUE(within.ok()) << within.error().message;
  EXPECT_LT(within->time_us, 210);
  EXPECT_GT(within->time_us, 150);
}

TEST(Calibrate, TemperaturesAreFittedOrKept) {
  const World some(3000, 1, 0, 4);
  const auto fitted = calibrate(some.collected, some.truth, {.limit = 0.05});
  ASSERT_TRUE(fitted.ok()) << fitted.error().message;
  for (std::size_t exit = 0; exit < kExits; ++exit) {
    EXPECT_NE(fitted->temperatures[exit], 1.0F);
    EXPECT_LT(fitted->ece[exit], fitted->ece_without[exit] + 0.01);
  }
  const std::vector<float> kept{1.0F, 2.0F, 3.0F, 4.0F};
  const auto same = calibrate(some.collected, some.truth, {.limit = 0.05, .temperatures = kept});
  ASSERT_TRUE(same.ok());
  EXPECT_EQ(same->temperatures, kept);
}

TEST(Halves, NoSpeakerIsInBoth) {
  const World some(31, 7, 0, 2);
  const Halves halves = split_in_halves(some.truth.groups, 9);
  EXPECT_EQ(halves.tuning.size() + halves.testing.size(), 217U);
  EXPECT_LE(std::max(halves.tuning.size(), halves.testing.size()) -
                std::min(halves.tuning.size(), halves.testing.size()),
            7U);
  for (const std::size_t a : halves.tuning)
    for (const std::size_t b : halves.testing) EXPECT_NE(some.truth.groups[a], some.truth.groups[b]);
}

// Each step raises one threshold, and work falls to exit 1's.
TEST(Path, LeadsFromNeverToAlways) {
  const World some(500, 1, 0, 3);
  const Halves halves = split_in_halves(some.truth.groups, 0);
  const Answers answers = answer_all(some.collected, std::vector<float>(kExits, 1.0F), {});
  const auto path = threshold_path(answers, some.truth, some.collected.shares, halves.tuning);
  ASSERT_GT(path.size(), 15U);
  EXPECT_EQ(path.front(), Thresholds(kExits, 0.0F));
  for (std::size_t i = 1; i < path.size(); ++i) {
    int raised = 0;
    for (std::size_t exit = 0; exit < kExits; ++exit) {
      EXPECT_GE(path[i][exit], path[i - 1][exit]);
      raised += path[i][exit] > path[i - 1][exit] ? 1 : 0;
    }
    EXPECT_EQ(raised, 1);
  }
  for (std::size_t clip = 0; clip < some.collected.clips; ++clip)
    EXPECT_LT(answers.of(clip)[0].entropy, path.back()[0]);
}

}  // namespace
}  // namespace bittern::evaluation
