#include "cli/train_options.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace bittern::cli {
namespace {

TEST(TrainOptions, MakeTheRecipeThatTrainingWouldMake) {
  const auto read = read_train_options({"--data", "D", "--out", "O", "--architecture", "meliusnet-22",
                                        "--epochs", "20", "--no-augment", "--exit-weights", "1,2,3,4,5"});
  ASSERT_TRUE(read.ok()) << read.error().message;
  const training::Recipe& recipe = read->train.recipe;
  EXPECT_EQ(recipe.architecture, "meliusnet-22");
  EXPECT_EQ(recipe.epochs, 20);
  EXPECT_EQ(recipe.learning_rate, training::Recipe().learning_rate) << "a default";
  EXPECT_EQ(recipe.bop_warmup_epochs, 2) << "a tenth of the epochs";
  EXPECT_EQ(recipe.augment.shift_ms, 0);
  EXPECT_EQ(recipe.exit_weights, (std::vector<double>{1, 2, 3, 4, 5}));
}

// Their names and checksums are the recipe's, as the training stores them.
TEST(TrainOptions, NameTheTeachers) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("bittern-teachers-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  const std::filesystem::path teacher = folder / "teacher.bittern";
  std::ofstream(teacher) << "only looked at by the training";
  const auto read = read_train_options(
      {"--data", "D", "--out", "O", "--teacher", teacher.string(), "--taught-exits", "last"});
  std::filesystem::remove_all(folder);
  ASSERT_TRUE(read.ok()) << read.error().message;
  ASSERT_EQ(read->train.recipe.teachers.size(), 1U);
  EXPECT_EQ(read->train.recipe.teachers[0].file, "teacher.bittern");
  EXPECT_EQ(read->train.recipe.teachers[0].checksum.size(), 16U);
  EXPECT_FALSE(read_train_options({"--data", "D", "--out", "O", "--teacher", "gone.bittern"}).ok());
  EXPECT_FALSE(read_train_options({"--data", "D", "--out", "O", "--taught-exits", "last"}).ok());
}

TEST(TrainOptions, MistakesAreOneLine) {
  for (const std::vector<std::string>& wrong : {std::vector<std::string>{"--learning-rat", "1"},
                                                {"--learning-rate", "much"},
                                                {"--architecture", "none"},
                                                {"--epochs", "0"},
                                                {"--average-decay", "1"},
                                                {"--help"}}) {
    std::vector<std::string> words{"--data", "D", "--out", "O"};
    words.insert(words.end(), wrong.begin(), wrong.end());
    const auto read = read_train_options(words);
    ASSERT_FALSE(read.ok()) << wrong.front();
    EXPECT_FALSE(read.error().message.empty());
    EXPECT_EQ(read.error().message.find('\n'), std::string::npos) << read.error().message;
  }
}

}  // namespace
}  // namespace bittern::cli
