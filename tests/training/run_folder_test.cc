#include "training/run_folder.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <string>
#include <vector>

#include "audio/temp_folder.h"

namespace bittern::training {
namespace {

using test::read_bytes;
using test::write_bytes;

class RunFolderTest : public testing::Test {
 protected:
  const test::TempFolder folder_;
  const RunFolder run_{folder_ / "run"};
};

// One line that names the file or folder.
void expect_refused(const Status& status, ErrorCode code, const std::filesystem::path& where) {
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, code);
  EXPECT_TRUE(status.error().message.starts_with(where.string() + ": ")) << status.error().message;
  EXPECT_EQ(status.error().message.find('\n'), std::string::npos);
}

Status prepared(const RunFolder& run, StartMode mode) {
  const Expected<FolderLock> lock = run.prepare(mode);
  return lock.ok() ? Status() : Status(lock.error());
}

TEST_F(RunFolderTest, AFreshRunTakesAnEmptyFolderOnly) {
  EXPECT_TRUE(prepared(run_, StartMode::kFresh).ok());
  EXPECT_TRUE(std::filesystem::is_directory(run_.root));
  EXPECT_TRUE(prepared(run_, StartMode::kFresh).ok());
  write_bytes(run_.root / "thesis.txt", "keep");
  expect_refused(prepared(run_, StartMode::kFresh), ErrorCode::kInvalidArgument, run_.root);
  EXPECT_EQ(read_bytes(run_.root / "thesis.txt"), "keep");
}

// Killed or failed before its first epoch: nothing to lose.
TEST_F(RunFolderTest, AFreshRunTakesAFolderWithNothingButARecipe) {
  write_bytes(run_.recipe(), "old");
  EXPECT_TRUE(prepared(run_, StartMode::kFresh).ok());
  write_bytes(run_.best(), "a model");
  expect_refused(prepared(run_, StartMode::kFresh), ErrorCode::kInvalidArgument, run_.root);
  EXPECT_EQ(read_bytes(run_.best()), "a model");
}

TEST_F(RunFolderTest, OverwritingTakesATrainingsFilesAndNoOthers) {
  for (const auto& path : {run_.recipe(), run_.metrics(), run_.checkpoint(), run_.best()})
    write_bytes(path, "old");
  write_bytes(run_.root / "thesis.txt", "keep");
  write_bytes(run_.root / "plots" / "recipe.json", "keep");
  ASSERT_TRUE(prepared(run_, StartMode::kOverwrite).ok());
  EXPECT_EQ(read_bytes(run_.best()), "old");  // until the new training can begin
  ASSERT_TRUE(run_.clear().ok());
  for (const auto& path : {run_.recipe(), run_.metrics(), run_.checkpoint(), run_.best()})
    EXPECT_FALSE(std::filesystem::exists(path)) << path;
  EXPECT_EQ(read_bytes(run_.root / "thesis.txt"), "keep");
  EXPECT_EQ(read_bytes(run_.root / "plots" / "recipe.json"), "keep");
}

TEST_F(RunFolderTest, ResumingTakesARunOrNothingYet) {
  EXPECT_TRUE(prepared(run_, StartMode::kResume).ok());  // killed before the folder was made
  EXPECT_TRUE(prepared(run_, StartMode::kResume).ok());  // or before a file was in it
  write_bytes(run_.root / "thesis.txt", "keep");
  expect_refused(prepared(run_, StartMode::kResume), ErrorCode::kNotFound, run_.root);
  EXPECT_EQ(read_bytes(run_.root / "thesis.txt"), "keep");
  write_bytes(run_.recipe(), "recipe");
  write_bytes(run_.checkpoint(), "state");
  EXPECT_TRUE(prepared(run_, StartMode::kResume).ok());
  EXPECT_EQ(read_bytes(run_.recipe()), "recipe");
  EXPECT_EQ(read_bytes(run_.checkpoint()), "state");
}

TEST_F(RunFolderTest, WhatAKilledTrainingLeftHalfWrittenGoes) {
  const std::vector<std::string> remnants{"recipe.json.12-0", "checkpoint.pt.4711-3", "best.bittern.1-0"};
  const std::vector<std::string> others{"checkpoint.pt.1", "checkpoint.pt.backup-1", "notes.md.12-0"};
  for (const StartMode mode : {StartMode::kFresh, StartMode::kOverwrite, StartMode::kResume}) {
    for (const std::string& name : remnants) write_bytes(run_.root / name, "half");
    if (mode != StartMode::kFresh) {
      write_bytes(run_.recipe(), "recipe");
      for (const std::string& name : others) write_bytes(run_.root / name, "keep");
    }
    EXPECT_TRUE(prepared(run_, mode).ok());
    for (const std::string& name : remnants) EXPECT_FALSE(std::filesystem::exists(run_.root / name)) << name;
  }
  for (const std::string& name : others) EXPECT_EQ(read_bytes(run_.root / name), "keep") << name;
}

TEST_F(RunFolderTest, OneTrainingAtATimeWorksThere) {
  {
    const Expected<FolderLock> first = run_.prepare(StartMode::kFresh);
    ASSERT_TRUE(first.ok());
    for (const StartMode mode : {StartMode::kFresh, StartMode::kOverwrite, StartMode::kResume}) {
      const Status second = prepared(run_, mode);
      expect_refused(second, ErrorCode::kInvalidArgument, run_.root);
      EXPECT_NE(second.error().message.find("another training"), std::string::npos);
    }
  }
  EXPECT_TRUE(prepared(run_, StartMode::kResume).ok());
}

TEST_F(RunFolderTest, AFileIsNoFolder) {
  write_bytes(run_.root, "a file");
  for (const StartMode mode : {StartMode::kFresh, StartMode::kOverwrite, StartMode::kResume})
    expect_refused(prepared(run_, mode), ErrorCode::kInvalidArgument, run_.root);
  EXPECT_EQ(read_bytes(run_.root), "a file");
}

TEST_F(RunFolderTest, WithoutACheckpointOneEpochMayBeDoneAndNoMore) {
  ASSERT_TRUE(prepared(run_, StartMode::kFresh).ok());
  EXPECT_TRUE(run_.start_over().ok());
  ASSERT_TRUE(run_.append_metrics("{\"epoch\":1}").ok());
  EXPECT_TRUE(run_.start_over().ok());
  EXPECT_EQ(read_bytes(run_.metrics()), "");
  ASSERT_TRUE(run_.append_metrics("{\"epoch\":1}").ok());
  ASSERT_TRUE(run_.append_metrics("{\"epoch\":2}").ok());
  expect_refused(run_.start_over(), ErrorCode::kCorrupt, run_.checkpoint());
  EXPECT_EQ(read_bytes(run_.metrics()), "{\"epoch\":1}\n{\"epoch\":2}\n");
}

TEST_F(RunFolderTest, MetricsGrowByLinesAndShrinkToACheckpoint) {
  ASSERT_TRUE(prepared(run_, StartMode::kFresh).ok());
  EXPECT_TRUE(run_.truncate_metrics(0).ok());  // none yet
  EXPECT_EQ(run_.append_metrics("{\"epoch\":1}").value(), 12);
  EXPECT_EQ(run_.append_metrics("{\"epoch\":2}").value(), 24);
  EXPECT_EQ(read_bytes(run_.metrics()), "{\"epoch\":1}\n{\"epoch\":2}\n");
  ASSERT_TRUE(run_.truncate_metrics(24).ok());
  ASSERT_TRUE(run_.truncate_metrics(12).ok());
  EXPECT_EQ(read_bytes(run_.metrics()), "{\"epoch\":1}\n");
  expect_refused(run_.truncate_metrics(13), ErrorCode::kCorrupt, run_.metrics());
  EXPECT_EQ(read_bytes(run_.metrics()), "{\"epoch\":1}\n");
}

// As on a full disk, but by a limit that only a child process is given.
TEST_F(RunFolderTest, ALineThatDoesNotFitLeavesNoHalf) {
  ASSERT_TRUE(prepared(run_, StartMode::kFresh).ok());
  ASSERT_TRUE(run_.append_metrics("{\"epoch\":1}").ok());
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit few{16, 16};
    const bool limited = ::setrlimit(RLIMIT_FSIZE, &few) == 0;
    ::_exit(limited && !run_.append_metrics("{\"epoch\":2}").ok() ? 0 : 1);
  }
  int status = 1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(read_bytes(run_.metrics()), "{\"epoch\":1}\n");
}

TEST_F(RunFolderTest, MetricsThatCannotBeWrittenAreAnError) {
  const Expected<std::int64_t> appended = run_.append_metrics("{}");
  ASSERT_FALSE(appended.ok());
  expect_refused(appended.error(), ErrorCode::kIo, run_.metrics());
}

TEST_F(RunFolderTest, ARecipeComesBackAndADamagedOneIsNamed) {
  Recipe recipe;
  recipe.architecture = "meliusnet-22";
  recipe.exit_weights = {0.5, 1, 1, 1, 2};
  ASSERT_TRUE(prepared(run_, StartMode::kFresh).ok());
  expect_refused(run_.read_recipe().error(), ErrorCode::kNotFound, run_.recipe());
  ASSERT_TRUE(run_.write_recipe(recipe).ok());
  EXPECT_EQ(run_.read_recipe().value(), recipe);

  const std::string whole = read_bytes(run_.recipe());
  for (std::size_t size = 0; size + 2 < whole.size(); size += 29) {
    write_bytes(run_.recipe(), whole.substr(0, size));
    expect_refused(run_.read_recipe().error(), ErrorCode::kCorrupt, run_.recipe());
  }
  for (const char* other : {"[]", "null", "3", "{\"epochs\": 3}", "{\"epochs\": \"three\"}"}) {
    write_bytes(run_.recipe(), other);
    expect_refused(run_.read_recipe().error(), ErrorCode::kCorrupt, run_.recipe());
  }
}

}  // namespace
}  // namespace bittern::training
