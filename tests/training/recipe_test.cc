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
  recipe.binary_optimizer = BinaryOptimizer::kAdam;
  recipe.exit_weights = {1, 0.5};
  recipe.augment.shift_ms = 0;
  recipe.seed = 18446744073709551615U;
  const Expected<Recipe> read = recipe_from_json(nlohmann::ordered_json::parse(to_json(recipe).dump()));
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(*read, recipe);
  EXPECT_TRUE(differences(*read, recipe).empty());
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
  EXPECT_TRUE(refused([](Recipe& r) { r.augment.noise_level = 2; }));
  EXPECT_TRUE(refused([](Recipe& r) { r.augment.time_masks = -1; }));
  EXPECT_TRUE(refused([](Recipe& r) { r.augment.frequency_masks = 101; }));
  EXPECT_TRUE(refused([](Recipe& r) { r.augment.time_mask_frames = -1; }));
  EXPECT_TRUE(refused([](Recipe& r) { r.augment.frequency_mask_bins = kMostMask + 1; }));
  EXPECT_TRUE(refused([](Recipe& r) { r.threads = 0; }));
  EXPECT_TRUE(refused([](Recipe& r) { r.device = "tpu"; }));
}

}  // namespace
}  // namespace bittern::training
