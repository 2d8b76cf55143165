// What holds for every layout: choice, names, digest, noise_files().
#include <gtest/gtest.h>

#include "datasets/tree.h"

namespace bittern::datasets {
namespace {

TEST(Splits, Names) {
  for (const Split split : {Split::kTrain, Split::kValidation, Split::kTest})
    EXPECT_EQ(parse_split(name(split)).value(), split);
  for (const char* text : {"", "Train", "dev", "all"}) EXPECT_FALSE(parse_split(text).ok()) << text;
  EXPECT_EQ(parse_split("dev").error().message, "unknown split 'dev'; choose train, validation or test");
}

TEST(Scan, MissingFolder) {
  const test::TempFolder folder;
  EXPECT_EQ(scan_error(folder / "none"), (folder / "none").string() + ": no such folder");
  EXPECT_EQ(scan(folder / "none").error().code, ErrorCode::kNotFound);
}

TEST(Scan, AFile) {
  const test::TempFolder folder;
  touch(folder / "a.wav");
  EXPECT_EQ(scan_error(folder / "a.wav"), (folder / "a.wav").string() + ": not a folder");
  EXPECT_EQ(scan_error(folder / "a.wav/b"), (folder / "a.wav/b").string() + ": no such folder");
}

TEST(Scan, UnknownLayout) {
  const test::TempFolder folder;
  EXPECT_EQ(scan_error(folder.path(), {.layout = "kaldi"}),
            "unknown layout 'kaldi'; choose one of auto, speech-commands, mswc, voxforge, folders");
}

TEST(Scan, LayoutByName) {
  const test::TempFolder folder;
  touch(folder / "test/yes/a.wav");
  EXPECT_TRUE(scan(folder.path(), {.layout = "folders"}).ok());
  for (const Layout& layout : layouts()) {
    EXPECT_FALSE(layout.summary.empty());
    if (layout.name == "folders") continue;
    EXPECT_FALSE(layout.recognises(folder.path())) << layout.name;
    EXPECT_NE(scan_error(folder.path(), {.layout = std::string(layout.name)}), "") << layout.name;
  }
}

TEST(Scan, NameOfTheRoot) {
  const test::TempFolder folder;
  touch(folder / "data/test/yes/a.wav");
  for (const char* path : {"data", "data/", "data/.", "data/test/..", "data//"}) {
    const Dataset dataset = must_scan(folder.path() / path);
    EXPECT_EQ(dataset.name, "folders/data") << path;
    EXPECT_EQ(listing(dataset), std::vector<std::string>{"test yes test/yes/a.wav"}) << path;
  }
}

TEST(Digest, IsAboutContentNotPlace) {
  const test::TempFolder one;
  const test::TempFolder other;
  for (const auto* folder : {&one, &other}) {
    touch(*folder / "data/test/yes/a.wav");
    touch(*folder / "data/train/yes/b.wav");
    touch(*folder / "data/_background_noise_/c.wav");
  }
  const std::string digest = must_scan(one / "data").digest();
  EXPECT_EQ(digest.size(), 16U);
  EXPECT_EQ(digest, must_scan(one / "data/").digest());
  EXPECT_EQ(digest, must_scan(other / "data").digest());

  const auto changed = [&](auto change) {
    const test::TempFolder third;
    std::filesystem::copy(one / "data", third / "data", std::filesystem::copy_options::recursive);
    change(third / "data");
    return must_scan(third / "data").digest();
  };
  std::set<std::string> digests = {digest};
  digests.insert(changed([](const auto& data) { test::write_bytes(data / "test/yes/a.wav", "other size"); }));
  digests.insert(changed([](const auto& data) { touch(data / "test/yes/d.wav"); }));
  digests.insert(changed(
      [](const auto& data) { std::filesystem::rename(data / "test/yes/a.wav", data / "test/yes/e.wav"); }));
  digests.insert(changed([](const auto& data) { std::filesystem::rename(data / "train", data / "val"); }));
  digests.insert(
      changed([](const auto& data) { std::filesystem::rename(data / "train/yes", data / "train/no"); }));
  digests.insert(
      changed([](const auto& data) { std::filesystem::remove(data / "_background_noise_/c.wav"); }));
  EXPECT_EQ(digests.size(), 7U);
}

TEST(NoiseFiles, BelowAFolder) {
  const test::TempFolder folder;
  touch(folder / "b.wav");
  touch(folder / "a/deep/c.flac");
  touch(folder / "a/notes.txt");
  std::filesystem::create_directory_symlink(folder.path(), folder / "a/loop");
  const auto files = noise_files(folder.path());
  ASSERT_TRUE(files.ok()) << files.error().message;
  EXPECT_EQ(*files, (std::vector<std::filesystem::path>{folder / "a/deep/c.flac", folder / "b.wav"}));
}

TEST(NoiseFiles, Errors) {
  const test::TempFolder folder;
  EXPECT_EQ(noise_files(folder / "none").error().message, (folder / "none").string() + ": no such folder");
  EXPECT_EQ(noise_files(folder.path()).error().message,
            folder.path().string() + ": no recordings in this folder");
}

}  // namespace
}  // namespace bittern::datasets
