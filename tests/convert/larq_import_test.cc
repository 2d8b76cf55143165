#include "convert/larq_import.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "audio/temp_folder.h"
#include "convert/fixtures.h"
#include "model/file.h"
#include "runtime/session.h"

namespace bittern::convert {
namespace {

using test::expected_of_fixtures;
using test::fixture;
using test::options_for;

// The two clips of features.npy, [98, 64] each.
std::vector<std::vector<float>> clips() {
  const std::string bytes = test::read_bytes(test::kFixtures + "/features.npy");
  const std::size_t floats = std::size_t{98} * 64;
  std::vector<std::vector<float>> list(2, std::vector<float>(floats));
  EXPECT_GT(bytes.size(), 2 * floats * sizeof(float));
  const char* at = bytes.data() + bytes.size() - 2 * floats * sizeof(float);
  for (std::vector<float>& clip : list) {
    std::memcpy(clip.data(), at, floats * sizeof(float));
    at += floats * sizeof(float);
  }
  return list;
}

class LarqImportOf : public testing::TestWithParam<std::string> {};

TEST_P(LarqImportOf, GivesLarqsLogits) {
  const auto imported = import_larq(fixture(GetParam()), options_for(GetParam()));
  ASSERT_TRUE(imported.ok()) << imported.error().message;
  // Through the file, as it is shipped.
  const auto model = model::read_copy(model::serialize(*imported->model).value());
  ASSERT_TRUE(model.ok()) << model.error().message;
  auto session = runtime::Session::create(*model).value();
  const nlohmann::json wanted = expected_of_fixtures()[GetParam()]["logits"];
  ASSERT_EQ(wanted.size(), 2U);
  const std::vector<std::vector<float>> features = clips();
  for (std::size_t clip = 0; clip < 2; ++clip) {
    const auto exits = static_cast<std::size_t>((*model)->network.exit_count());
    ASSERT_EQ(wanted[clip].size(), exits);
    std::vector<float> logits(exits * 3);
    ASSERT_TRUE(session.logits_from_features(features[clip], logits).ok());
    for (std::size_t i = 0; i < logits.size(); ++i)
      EXPECT_NEAR(logits[i], wanted[clip][i / 3][i % 3].get<float>(), 1e-3)
          << "clip " << clip << " logit " << i;
  }
}

TEST_P(LarqImportOf, RefusesOtherArchitectures) {
  for (const std::string& other : test::kFixtureNames) {
    if (other == GetParam()) continue;
    LarqOptions options = options_for(GetParam());
    options.architecture = other;
    const auto imported = import_larq(fixture(GetParam()), options);
    ASSERT_FALSE(imported.ok()) << other;
    EXPECT_TRUE(imported.error().message.starts_with(fixture(GetParam()) + ": ")) << imported.error().message;
  }
}

// What a download that broke leaves: an error, or the same weights where only unused bytes are missing.
TEST_P(LarqImportOf, RefusesFilesThatAreCut) {
  const test::TempFolder folder;
  const std::string path = (folder / "cut.h5").string(), whole = test::read_bytes(fixture(GetParam()));
  for (const double share : {0.0, 0.001, 0.1, 0.5, 0.9, 0.99}) {
    std::ofstream(path, std::ios::binary)
        << whole.substr(0, static_cast<std::size_t>(static_cast<double>(whole.size()) * share));
    const auto imported = import_larq(path, options_for(GetParam()));
    ASSERT_FALSE(imported.ok()) << share;
    EXPECT_EQ(imported.error().message.find('\n'), std::string::npos);
  }
}

INSTANTIATE_TEST_SUITE_P(All, LarqImportOf, testing::ValuesIn(test::kFixtureNames), [](const auto& one) {
  std::string name = one.param;
  std::erase(name, '-');
  return name;
});

TEST(LarqImport, AWholeModelIsCheckedAgainstThePlacement) {
  LarqOptions options = options_for("birealnet-18");
  options.placement = "stem";
  const auto imported = import_larq(fixture("birealnet-18"), options);
  ASSERT_FALSE(imported.ok());
  EXPECT_NE(imported.error().message.find("--placement"), std::string::npos) << imported.error().message;
}

TEST(LarqImport, LabelsMustBeAsManyAsClasses) {
  LarqOptions options = options_for("quicknet");
  options.labels = {"no", "up"};
  const auto imported = import_larq(fixture("quicknet"), options);
  ASSERT_FALSE(imported.ok());
  EXPECT_NE(imported.error().message.find("3 classes"), std::string::npos) << imported.error().message;
  options.labels = {"no", "up", "yes"};
  EXPECT_TRUE(import_larq(fixture("quicknet"), options).ok());
}

TEST(LarqImport, SaysWhatItAssumesOfAFileOfWeights) {
  LarqOptions options = options_for("quicknet");
  options.exit_quantizer.clear();
  const auto imported = import_larq(fixture("quicknet"), options);
  ASSERT_TRUE(imported.ok()) << imported.error().message;
  ASSERT_EQ(imported->assumed.size(), 1U);
  EXPECT_NE(imported->assumed[0].find("ste_sign"), std::string::npos);
}

TEST(LarqImport, OtherFilesGetOneLine) {
  const auto missing = import_larq("none.h5", options_for("quicknet"));
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().message, "none.h5: no such file");
  const test::TempFolder folder;
  const std::string path = (folder / "x.h5").string();
  std::ofstream(path) << "no HDF5";
  const auto other = import_larq(path, options_for("quicknet"));
  ASSERT_FALSE(other.ok());
  EXPECT_NE(other.error().message.find("not an HDF5 file"), std::string::npos) << other.error().message;
}

}  // namespace
}  // namespace bittern::convert
