#include "training/recipe.h"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

namespace bittern::training {
namespace {

TEST(Recipe, ReadsBackWhatItWrote) {
  Recipe recipe;
  recipe.architecture = "meliusnet-22";
  recipe.pool = graph::ExitPool::kGlobal;
  recipe.exit_dense = graph::ExitDense::kInt8;
  recipe.binary_optimizer = BinaryOptimizer::kAdam;
  recipe.exit_weights = {1, 0.5};
  recipe.bop_schedule = Schedule::kConstant;
  recipe.warmup_epochs = 0.5;
  recipe.bop_warmup_epochs = 1.5;
  recipe.float_epochs = 2;
  recipe.average_decay = 0.999;
  recipe.loss.label_smoothing = 0.1;
  recipe.loss.distillation = 0.3;
  recipe.loss.temperature = 4;
  recipe.augment.mixup = 0.2;
  recipe.augment.speed = 0.1;
  recipe.augment.gain_db = 6;
  recipe.augment.shift_ms = 0;
  recipe.seed = 18446744073709551615U;
  const Expected<Recipe> read = recipe_from_json(nlohmann::ordered_json::parse(to_json(recipe).dump()));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(*read, recipe);
  EXPECT_TRUE(differences(*read, recipe).empty());

  recipe.exit_weights.clear();
  for (const ExitWeighting weighting :
       {ExitWeighting::kFixed, ExitWeighting::kLinear, ExitWeighting::kLearned}) {
    recipe.loss.weighting = weighting;
    EXPECT_EQ(recipe_from_json(to_json(recipe)).value(), recipe);
  }
}

// One process is what a recipe without the key was run by: those of earlier builds stay as they are.
TEST(Recipe, NamesItsProcessesWhereThereAreSeveral) {
  Recipe recipe;
  EXPECT_FALSE(to_json(recipe).contains("processes"));
  EXPECT_EQ(recipe_from_json(to_json(recipe)).value().processes, 1);
  recipe.processes = 4;
  EXPECT_EQ(recipe_from_json(to_json(recipe)).value(), recipe);
  EXPECT_EQ(differences(recipe, Recipe()), std::vector<std::string>{"processes (4, not 1)"});
  EXPECT_EQ(differences(Recipe(), recipe), std::vector<std::string>{"processes (1, not 4)"});
  recipe.processes = 0;
  EXPECT_FALSE(recipe.validate().ok());
}

TEST(Recipe, NamesTheTaughtExitsWhereNotAllAre) {
  Recipe recipe;
  recipe.teachers = {{"large.bittern", "1"}};
  EXPECT_FALSE(to_json(recipe)["loss"].contains("taught"));
  EXPECT_EQ(recipe_from_json(to_json(recipe)).value(), recipe);
  Recipe last = recipe;
  last.loss.taught = TaughtExits::kLast;
  EXPECT_EQ(recipe_from_json(to_json(last)).value(), last);
  EXPECT_EQ(differences(recipe, last), std::vector<std::string>{"loss.taught (\"all\", not \"last\")"});
  EXPECT_EQ(differences(last, recipe), std::vector<std::string>{"loss.taught (\"last\", not \"all\")"});
  EXPECT_FALSE(parse_taught("first").ok());
}

TEST(Recipe, NamesTheDenseOfItsExitsWhereItIsNotTheArchitectures) {
  Recipe recipe;
  EXPECT_FALSE(to_json(recipe).contains("exit_dense"));
  for (const graph::ExitDense dense : graph::kExitDenses) {
    recipe.exit_dense = dense;
    EXPECT_EQ(recipe_from_json(to_json(recipe)).value(), recipe);
  }
  EXPECT_EQ(differences(recipe, Recipe()), std::vector<std::string>{"exit_dense (\"float\", not \"\")"});
  nlohmann::ordered_json json = to_json(recipe);
  json["exit_dense"] = "double";
  EXPECT_EQ(recipe_from_json(json).error().message, "recipe: exit_dense must be binary, int8 or float");
}

TEST(Recipe, NamesSpeedAndGainWhereTheyAreOn) {
  Recipe recipe;
  EXPECT_FALSE(to_json(recipe)["augment"].contains("speed"));
  EXPECT_FALSE(to_json(recipe)["augment"].contains("gain_db"));
  recipe.augment.speed = 0.1;
  recipe.augment.gain_db = 6;
  EXPECT_EQ(recipe_from_json(to_json(recipe)).value(), recipe);
  EXPECT_EQ(differences(recipe, Recipe()),
            (std::vector<std::string>{"augment.speed (0.1, not 0.0)", "augment.gain_db (6.0, not 0.0)"}));
  EXPECT_EQ(differences(Recipe(), recipe),
            (std::vector<std::string>{"augment.speed (0.0, not 0.1)", "augment.gain_db (0.0, not 6.0)"}));
}

TEST(Recipe, NamesItsTeachersWhereThereAreAny) {
  Recipe recipe;
  EXPECT_FALSE(to_json(recipe).contains("teachers"));
  recipe.teachers = {{"large.bittern", "0123456789abcdef"}, {"wide.bittern", "00000000000000ff"}};
  EXPECT_EQ(to_json(recipe)["teachers"][1].dump(),
            R"({"file":"wide.bittern","checksum":"00000000000000ff"})");
  EXPECT_EQ(recipe_from_json(to_json(recipe)).value(), recipe);
  Recipe other = recipe;
  EXPECT_TRUE(differences(recipe, other).empty());
  other.teachers.pop_back();
  EXPECT_EQ(differences(other, recipe),
            std::vector<std::string>{"teachers (large.bittern 0123456789abcdef, not large.bittern "
                                     "0123456789abcdef and wide.bittern 00000000000000ff)"});
  EXPECT_EQ(differences(other, Recipe()),
            std::vector<std::string>{"teachers (large.bittern 0123456789abcdef, not none)"});
  other.teachers[0].checksum = "1";
  EXPECT_EQ(differences(Recipe(), other), std::vector<std::string>{"teachers (none, not large.bittern 1)"});

  nlohmann::ordered_json json = to_json(recipe);
  json["teachers"][1]["checksum"] = 7;
  EXPECT_EQ(recipe_from_json(json).error().message, "recipe, teachers[1]: 'checksum' must be a text");
  json["teachers"] = "large.bittern";
  EXPECT_EQ(recipe_from_json(json).error().message, "recipe: 'teachers' must be a list");
}

TEST(Recipe, NamesAnUnknownAMissingAndAMistypedKey) {
  nlohmann::ordered_json json = to_json(Recipe());
  json["learning_rat"] = 1;
  Expected<Recipe> read = recipe_from_json(json);
  ASSERT_FALSE(read.ok());
  EXPECT_NE(read.error().message.find("learning_rat"), std::string::npos);

  json = to_json(Recipe());
  json.erase("epochs");
  read = recipe_from_json(json);
  ASSERT_FALSE(read.ok());
  EXPECT_NE(read.error().message.find("epochs"), std::string::npos);

  json = to_json(Recipe());
  json["batch"] = "many";
  read = recipe_from_json(json);
  ASSERT_FALSE(read.ok());
  EXPECT_NE(read.error().message.find("batch"), std::string::npos);

  json = to_json(Recipe());
  json["bop"]["warmup_epochs"] = true;
  read = recipe_from_json(json);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().message, "recipe, bop: 'warmup_epochs' must be a number");
}

TEST(Recipe, SaysInWhatTwoDiffer) {
  Recipe stored, given;
  stored.epochs = 30;
  given.epochs = 20;
  const std::vector<std::string> found = differences(stored, given);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0], "epochs (30, not 20)");
}

TEST(Recipe, RefusesWhatCannotTrain) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(Recipe().validate().ok());
  const auto refused = [](auto&& change) {
    Recipe recipe;
    change(recipe);
    return !recipe.validate().ok();
  };
  EXPECT_TRUE(refused([](Recipe& r) { r.epochs = 0; }));
  EXPECT_TRUE(refused([](Recipe& r) { r.batch = 0; }));
  EXPECT_TRUE(refused([&](Recipe& r) { r.learning_rate = nan; }));
  EXPECT_TRUE(refused([](Recipe& r) { r.learning_rate = -1; }));
  EXPECT_TRUE(refused([&](Recipe& r) { r.bop_threshold = nan; }));
  EXPECT_TRUE(refused([](Recipe& r) { r.augment.noise_probability = 1.5F; }));
  EXPECT_TRUE(refused([](Recipe& r) { r.single_exit = -1; }));
  EXPECT_TRUE(refused([](Recipe& r) { r.batch = 1; }));
  EXPECT_TRUE(refused([](Recipe& r) { r.bop_gamma = 0; }));
  EXPECT_TRUE(refused([](Recipe& r) { r.bop_gamma_end = -1; }));
  EXPECT_TRUE(refused([&](Recipe& r) { r.exit_weights = {1, nan}; }));
  EXPECT_TRUE(refused([](Recipe& r) { r.exit_weights = {1, -1}; }));
  EXPECT_TRUE(refused([](Recipe& r) { r.exit_weights = {0, 0}; }));
  EXPECT_FALSE(refused([](Recipe& r) { r.exit_weights = {0, 1}; }));
  EXPECT_TRUE(refused([](Recipe& r) { r.augment.shift_ms = -1; }));
  EXPECT_TRUE(refused([](Recipe& r) { r.augment.speed = 0.6; }));
  EXPECT_TRUE(refused([](Recipe& r) { r.augment.gain_db = -1; }));
  EXPECT_TRUE(refused([](Recipe& r) { r.augment.noise_level = 2; }));
  EXPECT_TRUE(refused([](Recipe& r) { r.augment.time_masks = -1; }));
  EXPECT_TRUE(refused([](Recipe& r) { r.augment.frequency_masks = 101; }));
  EXPECT_TRUE(refused([](Recipe& r) { r.augment.time_mask_frames = -1; }));
  EXPECT_TRUE(refused([](Recipe& r) { r.augment.frequency_mask_bins = kMostMask + 1; }));
  EXPECT_TRUE(refused([](Recipe& r) { r.threads = 0; }));
  EXPECT_TRUE(refused([](Recipe& r) { r.device = "tpu"; }));
}

// One line that names the option, what it is and what it may be.
TEST(Recipe, SaysWhatIsWrongWithAnOptionOfTheLossAndTheStages) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const auto complaint = [](auto&& change) {
    Recipe recipe;
    change(recipe);
    const Status valid = recipe.validate();
    return valid.ok() ? std::string("fine") : valid.error().message;
  };
  EXPECT_EQ(complaint([](Recipe& r) { r.loss.label_smoothing = 1; }),
            "label_smoothing is 1: must be 0 or more and below 1");
  EXPECT_EQ(complaint([](Recipe& r) { r.loss.distillation = 1.5; }), "distillation is 1.5: must be 0 to 1");
  EXPECT_EQ(complaint([&](Recipe& r) { r.loss.temperature = nan; }),
            "distillation temperature is nan: must be a positive number");
  EXPECT_EQ(complaint([](Recipe& r) { r.average_decay = 1; }),
            "average_decay is 1: must be 0 or more and below 1");
  EXPECT_EQ(complaint([](Recipe& r) { r.augment.mixup = -1; }), "mixup is -1: must be 0, or 0.01 to 1");
  EXPECT_EQ(complaint([](Recipe& r) { r.augment.mixup = 1e-12; }), "mixup is 1e-12: must be 0, or 0.01 to 1");
  EXPECT_EQ(complaint([](Recipe& r) { r.augment.mixup = kLeastMixup; }), "fine");
  EXPECT_EQ(complaint([](Recipe& r) { r.float_epochs = 30; }),
            "float_epochs is 30: must be 0 to 29, fewer than epochs");
  EXPECT_EQ(complaint([](Recipe& r) { r.warmup_epochs = 30; }),
            "warmup_epochs is 30: must be 0 or more and below 30, the epochs of the (shorter) stage");
  EXPECT_NE(complaint([&](Recipe& r) { r.bop_warmup_epochs = nan; }), "fine");
  EXPECT_NE(complaint([](Recipe& r) {
              r.float_epochs = 28;
              r.warmup_epochs = 2;
            }),
            "fine");
  EXPECT_EQ(complaint([](Recipe& r) {
              r.exit_weights = {1, 2};
              r.loss.weighting = ExitWeighting::kLearned;
            }),
            "exit weights are given and exit weighting is learned: leave one of them away");
  EXPECT_EQ(complaint([](Recipe& r) {
              r.teachers = {{"large.bittern", "1"}};
              r.loss.distillation = 0;
            }),
            "distillation is 0: must be above 0 where teachers are given");
  EXPECT_EQ(complaint([](Recipe& r) { r.loss.taught = TaughtExits::kLast; }),
            "taught exits are given, but no teacher");
  EXPECT_FALSE(parse_weighting("quadratic").ok());
}

}  // namespace
}  // namespace bittern::training
