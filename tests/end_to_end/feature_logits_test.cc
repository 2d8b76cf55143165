// classify --features FILE --logits --json
#include <fstream>
#include <limits>

#include "end_to_end/command_line.h"
#include "runtime/session.h"

namespace bittern::test {
namespace {

constexpr int kFrames = 98;
constexpr int kBins = 16;  // as CommandLine's model takes them

// As numpy.save writes it, version 1.
std::string npy(const std::string& shape, const std::vector<float>& values,
                const std::string& type = "'<f4', 'fortran_order': False") {
  std::string header = "{'descr': " + type + ", 'shape': " + shape + ", }";
  header.resize(118, ' ');
  header.back() = '\n';
  std::string bytes = std::string("\x93NUMPY\x01\x00", 8) + static_cast<char>(header.size()) + '\0' + header;
  return bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
}

class FeatureLogits : public CommandLine {
 protected:
  void write(const std::string& bytes) const { std::ofstream(path("x.npy"), std::ios::binary) << bytes; }
  Finished classify() const {
    return bittern({"classify", model_, "--features", path("x.npy"), "--logits", "--json"});
  }
};

std::vector<float> varied(std::size_t count) {
  std::vector<float> values;
  for (std::size_t i = 0; i < count; ++i) values.push_back(static_cast<float>((i * 37) % 101) / 10.0F - 8.0F);
  return values;
}

TEST_F(FeatureLogits, AreThoseOfTheSession) {
  const std::size_t clip_size = std::size_t{kFrames} * kBins;
  const std::vector<float> values = varied(3 * clip_size);
  write(npy("(3, 98, 16)", values));
  const Finished finished = classify();
  EXPECT_EQ(finished.status, 0) << finished.err;
  const auto said = json_lines(finished.out);
  ASSERT_EQ(said.size(), 3U);
  auto session = runtime::Session::create(model_data_).value();
  const auto exits = static_cast<std::size_t>(model_data_->network.exit_count());
  for (std::size_t clip = 0; clip < 3; ++clip) {
    EXPECT_EQ(said[clip]["clip"], clip);
    std::vector<float> logits(exits * 12);
    ASSERT_TRUE(
        session.logits_from_features(std::span(values).subspan(clip * clip_size, clip_size), logits).ok());
    ASSERT_EQ(said[clip]["logits"].size(), exits);
    for (std::size_t i = 0; i < logits.size(); ++i)
      EXPECT_EQ(said[clip]["logits"][i / 12][i % 12].get<float>(), logits[i]);
  }
}

TEST_F(FeatureLogits, OneClipNeedsNoFirstDimension) {
  const std::vector<float> values = varied(std::size_t{kFrames} * kBins);
  write(npy("(1, 98, 16)", values));
  const std::string with = classify().out;
  write(npy("(98, 16)", values));
  EXPECT_EQ(classify().out, with);
  EXPECT_EQ(lines(with).size(), 1U);
}

TEST_F(FeatureLogits, FilesThatAreNoFeaturesGetOneLine) {
  const std::vector<float> values = varied(std::size_t{kFrames} * kBins);
  const std::string good = npy("(1, 98, 16)", values);
  const std::vector<std::pair<std::string, std::string>> bad{
      {"", "not a NumPy file"},
      {"RIFF....WAVEfmt ", "not a NumPy file"},
      {good.substr(0, 60), "ends within its header"},
      {good.substr(0, good.size() - 4), "does not hold"},
      {good + "more", "does not hold"},
      {npy("(1, 98, 15)", values), "[clips, frames, 16]"},
      {npy("(2, 1, 98, 16)", values), "[clips, frames, 16]"},
      {npy("(1568,)", values), "[clips, frames, 16]"},
      {npy("(18446744073709551615, 98, 16)", values), "[clips, frames, 16]"},
      {npy("(1, 98, 16", values), "[clips, frames, 16]"},
      {npy("(1, 98, 16)", values, "'<f8', 'fortran_order': False"), "float32"},
      {npy("(1, 98, 16)", values, "'<f4', 'fortran_order': True"), "Fortran"},
  };
  for (const auto& [bytes, what] : bad) {
    write(bytes);
    expect_failure(classify(), what);
  }
  std::vector<float> infinite = values;
  infinite[7] = std::numeric_limits<float>::infinity();
  write(npy("(1, 98, 16)", infinite));
  expect_failure(classify(), "x.npy: clip 0");
  expect_failure(bittern({"classify", model_, "--features", path("none.npy"), "--logits", "--json"}),
                 "none.npy: No such file");
}

TEST_F(FeatureLogits, GoTogetherWithTheirOptions) {
  write(npy("(1, 98, 16)", varied(std::size_t{kFrames} * kBins)));
  const std::string features = path("x.npy");
  expect_wrong_usage(bittern({"classify", model_, "--features", features, "--json"}), "--logits");
  expect_wrong_usage(bittern({"classify", model_, "--features", features, "--logits"}), "--json");
  expect_wrong_usage(bittern({"classify", model_, kSamples, "--logits", "--json"}), "--features");
  expect_wrong_usage(bittern({"classify", model_, kSamples, "--features", features, "--logits", "--json"}),
                     "FILES");
  expect_wrong_usage(bittern({"classify", model_}), "FILES");
  // Options that would change nothing.
  for (const std::vector<std::string>& more : {std::vector<std::string>{"--only", "yes,no"},
                                               {"--operating-point", "none"},
                                               {"--exit", "1"},
                                               {"--rule", "margin"},
                                               {"--threshold", "0.5"},
                                               {"--segment", "centre"},
                                               {"--raw"},
                                               {"--raw", "--rate", "8000"}}) {
    std::vector<std::string> arguments{"classify", model_, "--features", features, "--logits", "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    expect_wrong_usage(bittern(arguments), more[0]);
  }
}

}  // namespace
}  // namespace bittern::test
