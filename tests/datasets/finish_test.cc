#include "datasets/finish.h"

#include <gtest/gtest.h>

namespace bittern::datasets {
namespace {

Dataset two_labels(const std::string& first) {
  Dataset dataset;
  dataset.root = "/data/words";
  dataset.layout = "folders";
  dataset.labels = {first, "a"};
  dataset.clips = {{.path = "/data/words/x/2.wav", .label = 0, .split = Split::kTest},
                   {.path = "/data/words/x/1.wav", .label = 0, .split = Split::kTrain},
                   {.path = "/data/words/a/1.wav", .label = 1, .split = Split::kTest},
                   {.path = "/data/words/a/3.wav", .label = 1, .split = Split::kTrain}};
  return dataset;
}

TEST(Finish, SortsLabelsAndClips) {
  const auto dataset = finish(two_labels("b"));
  ASSERT_TRUE(dataset.ok());
  EXPECT_EQ(dataset->name, "folders/words");
  EXPECT_EQ(dataset->labels, (std::vector<std::string>{"a", "b"}));
  std::vector<std::string> order;
  for (const Clip& clip : dataset->clips) order.push_back(clip.path.string() + std::to_string(clip.label));
  EXPECT_EQ(order, (std::vector<std::string>{"/data/words/a/3.wav0", "/data/words/x/1.wav1",
                                             "/data/words/a/1.wav0", "/data/words/x/2.wav1"}));
  EXPECT_TRUE(dataset->warnings.empty());
}

TEST(Finish, WarningsAreOfASplitThatSomeoneReads) {
  Dataset one_less = two_labels("b");
  one_less.clips.erase(one_less.clips.begin() + 1);  // b in train
  for (Clip& clip : one_less.clips) clip.speaker = "ann";
  const auto dataset = finish(std::move(one_less));
  ASSERT_TRUE(dataset.ok());
  const std::string missing = "label 'b' has no clips in train";
  ASSERT_EQ(dataset->warnings.size(), 2U);
  EXPECT_EQ(dataset->warnings[0], missing);
  const std::vector<std::string> of_any{dataset->warnings[1]};
  EXPECT_EQ(dataset->warnings_for(Split::kTrain), dataset->warnings);
  EXPECT_EQ(dataset->warnings_for(Split::kTest), of_any);
  EXPECT_EQ(dataset->warnings_for({}), of_any);
}

TEST(Finish, TakesLabelsInAnyScript) {
  for (const char* label : {"да", "はい", "ja", "\xF0\x9F\x90\xA6", "with space", "_silence_"})
    EXPECT_TRUE(finish(two_labels(label)).ok()) << label;
}

TEST(Finish, RefusesLabelsThatAreNoText) {
  for (const char* label : {"", "two\nlines", "tab\t", "\xFF", "\xC0\xAF", "\xE0\x80\x80", "\xED\xA0\x80",
                            "\xF5\x80\x80\x80", "cut\xE3\x81", "\x7F"})
    EXPECT_FALSE(finish(two_labels(label)).ok()) << label;
}

}  // namespace
}  // namespace bittern::datasets
