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
