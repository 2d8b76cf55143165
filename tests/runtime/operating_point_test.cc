#include "runtime/operating_point.h"

#include <gtest/gtest.h>

#include "model/random_model.h"

namespace bittern::runtime {
namespace {

TEST(OperatingPoint, IsTheRuleAndTheThresholdsOfItsName) {
  const auto model = model::random_model(model::tiny_network(), 1);
  const auto exits = static_cast<std::size_t>(model->network.exit_count());
  model->operating_points = {{"quick", "entropy", std::vector<float>(exits, 100.0F), "leaves at once"},
                             {"sure", "entropy", std::vector<float>(exits, 0.0F), "never leaves early"}};
  exits::Answer answer;
  answer.entropy = 0.5F;
  EXPECT_TRUE(operating_point(*model, "quick").value().leave(std::span(&answer, 1)));
  EXPECT_FALSE(operating_point(*model, "sure").value().leave(std::span(&answer, 1)));
  const auto unknown = operating_point(*model, "slow");
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().code, ErrorCode::kNotFound);
  EXPECT_NE(unknown.error().message.find("quick, sure"), std::string::npos) << unknown.error().message;
}

// Who asks for a point by its name is not to blame for what it says.
TEST(OperatingPoint, OfALaterVersionOrDamagedIsTheModelsFault) {
  const auto model = model::random_model(model::tiny_network(), 1);
  const auto exits = static_cast<std::size_t>(model->network.exit_count());
  model->operating_points = {{"later", "intuition", std::vector<float>(exits, 0.5F), ""},
                             {"damaged", "entropy", std::vector<float>(exits, -1.0F), ""}};
  const auto later = operating_point(*model, "later");
  ASSERT_FALSE(later.ok());
  EXPECT_EQ(later.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(later.error().message.find("'later'"), std::string::npos) << later.error().message;
  const auto damaged = operating_point(*model, "damaged");
  ASSERT_FALSE(damaged.ok());
  EXPECT_EQ(damaged.error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace bittern::runtime
