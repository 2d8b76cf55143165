// A disk that fills up while a result is written: played by a limit on the size of files, which every user
// can set.
#include "audio/audio.h"
#include "core/random.h"
#include "end_to_end/command_line.h"

namespace bittern::test {
namespace {

namespace fs = std::filesystem;

// `bittern` where no file may grow beyond so many blocks of 512 bytes. Ignored, SIGXFSZ becomes an error of
// write().
Finished limited(int blocks, const std::vector<std::string>& arguments) {
  std::string line = "trap '' XFSZ; ulimit -f " + std::to_string(blocks) + "; exec $BITTERN";
  for (const std::string& argument : arguments) line += " '" + argument + "'";
  return shell(line);
}

std::vector<std::string> files_in(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

class FullDisk : public CommandLine {
 protected:
  FullDisk() {
    fs::create_directories(folder_ / "run");
    fs::copy_file(model_, folder_ / "run" / "best.bittern");
  }
};

TEST_F(FullDisk, AnExportLeavesNothing) {
  const std::vector<std::string> before = files_in(folder_.path());
  const Finished finished = limited(2, {"export", path("run"), "--out", path("words.bittern")});
  expect_failure(finished, "words.bittern: cannot write");
  EXPECT_EQ(finished.out, "");
  EXPECT_EQ(files_in(folder_.path()), before);
}

TEST_F(FullDisk, AnExportLeavesTheFileThatWasThere) {
  write_bytes(path("words.bittern"), "an earlier model");
  const std::vector<std::string> before = files_in(folder_.path());
  expect_failure(limited(2, {"export", path("run"), "--out", path("words.bittern")}),
                 "words.bittern: cannot write");
  EXPECT_EQ(read_bytes(path("words.bittern")), "an earlier model");
  EXPECT_EQ(files_in(folder_.path()), before);
}

TEST_F(FullDisk, AnExportToAFullDeviceFails) {
  expect_failure(bittern({"export", path("run"), "--out", "/dev/full"}), "/dev/full: cannot write");
}

#ifdef BITTERN_HAS_TRAINING
class FullDiskWhileTraining : public testing::Test {
 protected:
  FullDiskWhileTraining() {
    for (const std::string split : {"train", "validation"}) {
      for (const std::string label : {"a", "b"}) {
        fs::create_directories(folder_ / "data" / split / label);
        Random random{split.size(), label == "a" ? 1U : 2U};
        std::vector<float> samples(16000);
        for (float& sample : samples) sample = random.uniform(-0.1F, 0.1F);
        EXPECT_TRUE(audio::write_wav(folder_ / "data" / split / label / "s1_1.wav", samples, 16000).ok());
      }
    }
  }
  std::vector<std::string> arguments(const std::string& more = {}) const {
    std::vector<std::string> list{"train",
                                  "--data",
                                  (folder_ / "data").string(),
                                  "--out",
                                  run_.string(),
                                  "--architecture",
                                  "quicknet-small",
                                  "--epochs",
                                  "1",
                                  "--batch",
                                  "2",
                                  "--threads",
                                  "1",
                                  "--quiet"};
    if (!more.empty()) list.push_back(more);
    return list;
  }
  const TempFolder folder_;
  const fs::path run_ = folder_ / "run";
};

// The first file that does not fit ends the training; those before it are whole.
TEST_F(FullDiskWhileTraining, EveryFileIsWholeOrNotThere) {
  expect_failure(limited(1, arguments()), "recipe.json: cannot write");
  EXPECT_EQ(files_in(run_), std::vector<std::string>());

  expect_failure(limited(2048, arguments()), "best.bittern: cannot write");  // 1 MiB
  EXPECT_EQ(files_in(run_), std::vector<std::string>{"recipe.json"});

  expect_failure(limited(16384, arguments("--overwrite")), "checkpoint.pt: cannot write");  // 8 MiB
  EXPECT_EQ(files_in(run_), (std::vector<std::string>{"best.bittern", "metrics.jsonl", "recipe.json"}));
  EXPECT_EQ(bittern({"inspect", (run_ / "best.bittern").string(), "--self-test"}).status, 0);

  // With room again the run starts anew when told to.
  const Finished trained = bittern(arguments("--overwrite"));
  EXPECT_EQ(trained.status, 0) << trained.err;
  EXPECT_EQ(files_in(run_),
            (std::vector<std::string>{"best.bittern", "checkpoint.pt", "metrics.jsonl", "recipe.json"}));
}
#endif

}  // namespace
}  // namespace bittern::test
