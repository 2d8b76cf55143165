#include "evaluation/labels.h"

#include <gtest/gtest.h>

namespace bittern::evaluation {
namespace {

const std::vector<std::string> kModel{"no", "off", "on", "yes"};

TEST(ParseOnly, GivesAMaskInTheModelsOrder) {
  EXPECT_EQ(parse_only("yes,no", kModel).value(), (std::vector<std::uint8_t>{1, 0, 0, 1}));
  EXPECT_EQ(parse_only("on", kModel).value(), (std::vector<std::uint8_t>{0, 0, 1, 0}));
  EXPECT_TRUE(parse_only("", kModel).value().empty());
}

TEST(ParseOnly, NamesTheUnknownLabelAndTheKnownOnes) {
  for (const char* list : {"yes,maybe", "yes,", ",yes", "Yes"}) {
    const auto mask = parse_only(list, kModel);
    ASSERT_FALSE(mask.ok()) << list;
    EXPECT_NE(mask.error().message.find("no, off, on, yes"), std::string::npos);
  }
  EXPECT_NE(parse_only("yes,maybe", kModel).error().message.find("'maybe'"), std::string::npos);
}

TEST(MatchLabels, GoesByNameNotByPlace) {
  const std::vector<std::string> data{"yes", "no"};
  EXPECT_EQ(match_labels(data, kModel, {}).value(), (std::vector<int>{3, 0}));
}

TEST(MatchLabels, RefusesLabelsThatTheModelLacks) {
  const std::vector<std::string> data{"yes", "cat", "dog"};
  const auto matched = match_labels(data, kModel, {});
  ASSERT_FALSE(matched.ok());
  EXPECT_NE(matched.error().message.find("cat, dog"), std::string::npos);
  EXPECT_NE(matched.error().message.find("no, off, on, yes"), std::string::npos);
}

TEST(MatchLabels, UnderOnlyEverythingElseIsLeftOut) {
  const std::vector<std::string> data{"yes", "cat", "no", "on"};
  const std::vector<std::uint8_t> only{1, 0, 0, 1};
  EXPECT_EQ(match_labels(data, kModel, only).value(), (std::vector<int>{3, -1, 0, -1}));
}

}  // namespace
}  // namespace bittern::evaluation
