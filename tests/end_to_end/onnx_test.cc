// bittern export --to onnx: which files appear, and what becomes of bad input. What is in the graphs is
// tests/convert's.
#include <set>

#include "end_to_end/command_line.h"

namespace bittern::test {
namespace {

namespace fs = std::filesystem;

class ExportToOnnx : public CommandLine {
 protected:
  Finished exported(const std::vector<std::string>& more, const std::string& out = "words.onnx") const {
    std::vector<std::string> arguments{"export", model_, "--to", "onnx", "--out", path(out)};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return bittern(arguments);
  }
  // The .onnx files in the folder; there may be nothing else but the model.
  std::set<std::string> files() const {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(folder_.path())) {
      const std::string name = entry.path().filename().string();
      if (name == "tiny.bittern") continue;
      EXPECT_TRUE(name.find(".onnx") != std::string::npos) << name;
      names.insert(name);
    }
    return names;
  }
  bool has(const std::string& file, const std::string& text) const {
    return read_bytes(path(file)).find(text) != std::string::npos;
  }
  using Names = std::set<std::string>;
};

TEST_F(ExportToOnnx, WritesAGraphOfAllExitsAndOneOfEach) {
  const Finished finished = exported({"--license", "CC0-1.0"});
  ASSERT_EQ(finished.status, 0) << finished.err;
  EXPECT_EQ(finished.err, "");
  EXPECT_EQ(files(), (Names{"words.onnx", "words.exit1.onnx", "words.exit2.onnx", "words.exit3.onnx"}));
  const std::vector<std::string> said = lines(finished.out);
  ASSERT_EQ(said.size(), 4U);
  EXPECT_EQ(said[0], path("words.onnx") + ": " + std::to_string(fs::file_size(path("words.onnx"))) +
                         " bytes, 3 exits, 12 labels");
  EXPECT_NE(said[2].find("words.exit2.onnx: "), std::string::npos);
  EXPECT_NE(said[2].find(" bytes, exit 2, 12 labels"), std::string::npos);
  for (const std::string& name : files()) {
    EXPECT_TRUE(read_bytes(path(name)).starts_with("\x08\x07")) << name;  // the IR's version
    EXPECT_TRUE(has(name, R"("_silence_","_unknown_","down")")) << name;
    EXPECT_TRUE(has(name, "CC0-1.0")) << name;
    EXPECT_TRUE(has(name, R"("hop_samples":160)")) << name;
    EXPECT_TRUE(has(name, R"("rule":"entropy")")) << name;
  }
  for (int exit = 1; exit <= 3; ++exit) {
    const std::string logits = "logits_" + std::to_string(exit);
    EXPECT_TRUE(has("words.onnx", logits));
    for (int other = 1; other <= 3; ++other)
      EXPECT_EQ(has("words.exit" + std::to_string(other) + ".onnx", logits), other == exit);
  }
  EXPECT_LT(fs::file_size(path("words.exit1.onnx")), fs::file_size(path("words.exit2.onnx")));
}

TEST_F(ExportToOnnx, WritesWhatIsAskedForAlone) {
  ASSERT_EQ(exported({"--exits", "all"}).status, 0);
  EXPECT_EQ(files(), Names{"words.onnx"});
  const std::string all = read_bytes(path("words.onnx"));
  fs::remove(path("words.onnx"));

  ASSERT_EQ(exported({"--exits", "each"}).status, 0);
  EXPECT_EQ(files(), (Names{"words.exit1.onnx", "words.exit2.onnx", "words.exit3.onnx"}));
  const std::string second = read_bytes(path("words.exit2.onnx"));

  const Finished one = exported({"--exits", "2", "--quiet"}, "two.onnx");
  ASSERT_EQ(one.status, 0) << one.err;
  EXPECT_EQ(one.out, "");
  EXPECT_EQ(read_bytes(path("two.onnx")), second);

  // To a pipe, and the same bytes again.
  const Finished piped =
      shell("\"$BITTERN\" export '" + model_ + "' --to onnx --exits all --out /dev/stdout --quiet > '" +
            path("words.onnx") + "'");
  ASSERT_EQ(piped.status, 0) << piped.err;
  EXPECT_EQ(read_bytes(path("words.onnx")), all);
}

TEST_F(ExportToOnnx, TakesRunFoldersAndAnyName) {
  fs::create_directories(folder_ / "run.onnx");
  fs::copy_file(model_, folder_ / "run.onnx" / "best.bittern");
  ASSERT_EQ(exported({"--exits", "all"}).status, 0);
  ASSERT_EQ(
      bittern({"export", path("run.onnx"), "--to", "onnx", "--exits", "all", "--out", path("run2.onnx")})
          .status,
      0);
  EXPECT_EQ(read_bytes(path("run2.onnx")), read_bytes(path("words.onnx")));
  // Names that look like options reach the other program as they are.
  const Finished dashed = shell("cd '" + path("run.onnx") +
                                "' && mv best.bittern ./--quiet && \"$BITTERN\" export --to onnx --exits=1 "
                                "--out=-x.onnx -- --quiet && test -s ./-x.onnx");
  EXPECT_EQ(dashed.status, 0) << dashed.err;
  EXPECT_NE(dashed.out.find("-x.onnx: "), std::string::npos);
}

TEST_F(ExportToOnnx, BadInputIsOneLineAndLeavesNothing) {
  expect_wrong_usage(exported({"--exits", "4"}), "the model has 3 exits");
  expect_failure(bittern({"export", path("none.bittern"), "--to", "onnx", "--out", path("x.onnx")}),
                 "none.bittern: no such file or folder");
  fs::create_directories(folder_ / "empty.onnx");
  expect_failure(bittern({"export", path("empty.onnx"), "--to", "onnx", "--out", path("x.onnx")}),
                 "empty.onnx: neither a .bittern file nor the run folder of a training");
  write_bytes(path("empty.onnx/recipe.json"), "{}");
  expect_failure(bittern({"export", path("empty.onnx"), "--to", "onnx", "--out", path("x.onnx")}),
                 "empty.onnx: no best model there yet");
  write_bytes(path("no-model.onnx"), "something else");
  expect_failure(bittern({"export", path("no-model.onnx"), "--to", "onnx", "--out", path("x.onnx")}),
                 "no-model.onnx: ");
  expect_failure(exported({}, "missing/words.onnx"), "there is no folder");
  expect_failure(exported({}, "empty.onnx"), "is a folder");
  fs::create_directories(folder_ / "words.exit2.onnx");
  expect_failure(exported({}), "words.exit2.onnx: is a folder");
  EXPECT_EQ(files(), (Names{"empty.onnx", "no-model.onnx", "words.exit2.onnx"}));
  expect_failure(bittern({"export", model_, "--to", "onnx", "--exits", "all", "--out", "/dev/full"}),
                 "/dev/full: cannot write");
}

TEST_F(ExportToOnnx, NeverWritesOverTheModelItReads) {
  const std::string before = read_bytes(model_);
  fs::create_symlink(model_, folder_ / "linked.onnx");
  expect_failure(exported({}, "linked.onnx"), "linked.onnx: is the file that is read");
  fs::create_hard_link(model_, folder_ / "hard.exit2.onnx");
  expect_failure(exported({}, "hard.onnx"), "hard.exit2.onnx: is the file that is read");
  expect_wrong_usage(exported({}, "tiny.bittern"), "ends in .bittern, but --to is onnx");
  EXPECT_EQ(read_bytes(model_), before);
  EXPECT_EQ(files(), (Names{"linked.onnx", "hard.exit2.onnx"}));
}

// A limit on the size of files plays the full disk: small ones fit, that of all exits does not.
TEST_F(ExportToOnnx, AFullDiskLeavesEveryOldFile) {
  ASSERT_EQ(exported({}).status, 0);
  const Names before = files();
  const auto first = fs::file_size(path("words.exit1.onnx"));
  ASSERT_LT(first + 1024, fs::file_size(path("words.exit3.onnx")));
  for (const std::string& name : before) write_bytes(path(name), "earlier");
  const Finished full =
      shell("trap '' XFSZ; ulimit -f " + std::to_string(first / 512 + 1) + "; exec \"$BITTERN\" export '" +
            model_ + "' --to onnx --exits each --out '" + path("words.onnx") + "'");
  expect_failure(full, "cannot write");
  EXPECT_EQ(full.out, "");
  EXPECT_EQ(files(), before);
  for (const std::string& name : before) EXPECT_EQ(read_bytes(path(name)), "earlier") << name;
}

}  // namespace
}  // namespace bittern::test
