// bittern import, on networks that Larq wrote.
#include <fstream>

#include "convert/fixtures.h"
#include "end_to_end/command_line.h"

namespace bittern::test {
namespace {

class Import : public testing::Test {
 protected:
  static std::vector<std::string> line(const std::string& file, const std::string& name,
                                       const std::string& out) {
    std::vector<std::string> arguments{"import",         file, "--from", "larq",
                                       "--architecture", name, "--out",  out};
    const std::string quantizer = options_for(name).exit_quantizer;
    if (name != kWholeModel) arguments.insert(arguments.end(), {"--exit-quantizer", quantizer});
    return arguments;
  }
  Finished import_file(const std::string& file, const std::string& name,
                       const std::vector<std::string>& further = {}) const {
    std::vector<std::string> arguments = line(file, name, out_);
    arguments.insert(arguments.end(), further.begin(), further.end());
    return bittern(arguments);
  }

  // Fails with one line that says `what`, and leaves nothing behind.
  void expect_refused(const Finished& finished, const std::string& what) const {
    expect_failure(finished, what);
    EXPECT_EQ(finished.out, "");
    EXPECT_FALSE(std::filesystem::exists(out_));
  }
  std::string path(const char* name) const { return (folder_ / name).string(); }

  const TempFolder folder_;
  const std::string out_ = (folder_ / "model.bittern").string();
};

class ImportOf : public Import, public testing::WithParamInterface<std::string> {};

TEST_P(ImportOf, GivesLarqsLogits) {
  const std::string name = GetParam();
  const Finished imported = import_file(fixture(name), name);
  ASSERT_EQ(imported.status, 0) << imported.err;
  EXPECT_EQ(imported.err, "");
  const nlohmann::json wanted = expected_of_fixtures()[name]["logits"];
  const std::size_t exits = wanted[0].size();
  EXPECT_TRUE(imported.out.starts_with(out_ + ": ")) << imported.out;
  EXPECT_TRUE(imported.out.ends_with(" bytes, " + (exits == 1 ? "1 exit" : std::to_string(exits) + " exits") +
                                     ", 3 labels\n"))
      << imported.out;

  const Finished classified =
      bittern({"classify", out_, "--features", kFixtures + "/features.npy", "--logits", "--json"});
  ASSERT_EQ(classified.status, 0) << classified.err;
  const auto clips = json_lines(classified.out);
  ASSERT_EQ(clips.size(), wanted.size());
  for (std::size_t clip = 0; clip < clips.size(); ++clip) {
    ASSERT_EQ(clips[clip]["logits"].size(), exits);
    for (std::size_t exit = 0; exit < exits; ++exit) {
      ASSERT_EQ(clips[clip]["logits"][exit].size(), 3U);
      for (std::size_t i = 0; i < 3; ++i)
        EXPECT_NEAR(clips[clip]["logits"][exit][i].get<double>(), wanted[clip][exit][i].get<double>(), 1e-3)
            << "clip " << clip << ", exit " << exit + 1 << ", logit " << i;
    }
  }
  EXPECT_EQ(bittern({"inspect", out_, "--self-test"}).status, 0);
}

INSTANTIATE_TEST_SUITE_P(All, ImportOf, testing::ValuesIn(kFixtureNames), [](const auto& one) {
  std::string name = one.param;
  std::erase(name, '-');
  return name;
});

TEST_F(Import, LabelsAndLicenceAreStored) {
  std::ofstream(path("labels.txt")) << "no\nup\r\nyes\n";
  const Finished imported = import_file(fixture("quicknet"), "quicknet",
                                        {"--labels", path("labels.txt"), "--license", "CC0-1.0", "--quiet"});
  ASSERT_EQ(imported.status, 0) << imported.err;
  EXPECT_EQ(imported.out, "");
  const Finished inspected = bittern({"inspect", out_, "--json"});
  const nlohmann::json model = nlohmann::json::parse(inspected.out);
  EXPECT_EQ(model["labels"], nlohmann::json({"no", "up", "yes"}));
  EXPECT_NE(inspected.out.find("CC0-1.0"), std::string::npos);
}

TEST_F(Import, WhatIsAssumedIsAWarning) {
  const Finished imported =
      bittern({"import", fixture("quicknet"), "--from", "larq", "--architecture", "quicknet", "--out", out_});
  EXPECT_EQ(imported.status, 0);
  expect_one_line(imported, "--exit-quantizer");
  EXPECT_TRUE(imported.err.starts_with("bittern: warning: ")) << imported.err;
}

TEST_F(Import, FilesThatAreNoModels) {
  expect_refused(import_file(path("none.h5"), "quicknet"), "no such file");
  expect_refused(import_file(folder_.path().string(), "quicknet"), "is a folder");
  write_bytes(path("x.h5"), "no HDF5");
  expect_refused(import_file(path("x.h5"), "quicknet"), "not an HDF5 file");
  const std::string whole = read_bytes(fixture("quicknet"));
  for (const std::size_t size : {std::size_t{0}, std::size_t{50}, whole.size() / 2, whole.size() - 1}) {
    write_bytes(path("x.h5"), whole.substr(0, size));
    expect_refused(import_file(path("x.h5"), "quicknet"), path("x.h5") + ": ");
  }
  // A list of names that HDF5 still finds, but whose names lead nowhere.
  std::string renamed = whole;
  const std::size_t at = renamed.find("quant_conv2d");
  ASSERT_NE(at, std::string::npos);
  renamed[at] = '\n';
  write_bytes(path("x.h5"), renamed);
  expect_refused(import_file(path("x.h5"), "quicknet"), path("x.h5") + ": ");
}

TEST_F(Import, AnotherNetworkThanSaid) {
  for (const auto& [file, architecture] :
       {std::pair("quicknet", "birealnet-18"), std::pair("quicknet", "meliusnet-22"),
        std::pair("quicknet", "bittern-tiny"), std::pair("meliusnet-22", "quicknet"),
        std::pair("birealnet-18", "binarydensenet-28")}) {
    SCOPED_TRACE(file + std::string(" as ") + architecture);
    const Finished finished = bittern({"import", fixture(file), "--from", "larq", "--architecture",
                                       architecture, "--out", out_, "--quiet"});
    expect_refused(finished, fixture(file) + ": ");
    EXPECT_NE(finished.err.find("another architecture"), std::string::npos) << finished.err;
  }
  expect_refused(import_file(fixture("quicknet"), "quicknet", {"--placement", "s1.b1"}), "--placement");
  expect_refused(import_file(fixture("quicknet"), "quicknet", {"--placement", "nowhere"}), "nowhere");
  std::ofstream(path("labels.txt")) << "no\nyes\n";
  expect_refused(import_file(fixture("quicknet"), "quicknet", {"--labels", path("labels.txt")}),
                 path("labels.txt") + ": 2 labels, but the network's exits have 3 classes");
  std::ofstream(path("labels.txt")) << "no\nno\nyes\n";
  expect_refused(import_file(fixture("quicknet"), "quicknet", {"--labels", path("labels.txt")}),
                 path("labels.txt") + ": label \"no\" stands twice");
  expect_refused(import_file(fixture("quicknet"), "quicknet", {"--labels", folder_.path().string()}),
                 "is a folder");
  expect_refused(import_file(fixture("quicknet"), "quicknet", {"--labels", path("none.txt")}), "none.txt");
}

TEST_F(Import, AModelThatWasThereStays) {
  write_bytes(out_, "before");
  write_bytes(path("x.h5"), "no HDF5");
  expect_failure(import_file(path("x.h5"), "quicknet"), "not an HDF5 file");
  EXPECT_EQ(read_bytes(out_), "before");
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_.path()), {}), 2);
}

TEST_F(Import, NeverWritesOverTheFileItReads) {
  const std::string before = read_bytes(fixture("quicknet"));
  std::filesystem::create_symlink(fixture("quicknet"), out_);
  expect_failure(import_file(fixture("quicknet"), "quicknet"), "is the file that is read");
  EXPECT_EQ(read_bytes(fixture("quicknet")), before);
}

TEST_F(Import, WrongUsage) {
  expect_wrong_usage(bittern({"import", fixture("quicknet"), "--architecture", "quicknet", "--out", out_}),
                     "--from");
  std::vector<std::string> arguments = line(fixture("quicknet"), "quicknet", out_);
  arguments[3] = "keras";
  expect_wrong_usage(bittern(arguments), "larq");
}

}  // namespace
}  // namespace bittern::test
