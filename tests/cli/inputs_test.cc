#include "cli/inputs.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace bittern::cli {
namespace {

namespace fs = std::filesystem;

class Inputs : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("bittern-inputs-" + std::to_string(::getpid()));
    fs::create_directories(folder_ / "b" / "deep");
    fs::create_directories(folder_ / "empty");
    for (const char* name : {"z.wav", "a.FLAC", "notes.txt", "b/m.ogg", "b/deep/x.mp3"})
      std::ofstream(folder_ / name) << "x";
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string path(const char* name) const { return (folder_ / name).string(); }
  fs::path folder_;
};

std::vector<std::string> names(const std::vector<Input>& inputs) {
  std::vector<std::string> list;
  list.reserve(inputs.size());
  for (const Input& input : inputs) list.push_back(input.name);
  return list;
}

TEST_F(Inputs, FoldersBecomeTheirRecordingsSortedByPath) {
  const auto inputs = expand_inputs({folder_.string()});
  EXPECT_EQ(names(inputs),
            (std::vector<std::string>{path("a.FLAC"), path("b/deep/x.mp3"), path("b/m.ogg"), path("z.wav")}));
}

TEST_F(Inputs, NamedFilesStayAsTheyAreInOrder) {
  EXPECT_EQ(names(expand_inputs({"-", path("notes.txt"), "no/such.wav"})),
            (std::vector<std::string>{"-", path("notes.txt"), "no/such.wav"}));
}

TEST_F(Inputs, AFolderWithoutRecordingsIsAnErrorInItsPlace) {
  const auto inputs = expand_inputs({path("z.wav"), path("empty"), path("a.FLAC")});
  ASSERT_EQ(inputs.size(), 3U);
  EXPECT_FALSE(inputs[0].error.has_value());
  EXPECT_TRUE(inputs[1].error.has_value());
  EXPECT_FALSE(inputs[2].error.has_value());
}

TEST_F(Inputs, HiddenFilesAreLeftOutAndBrokenLinksAreNot) {
  std::ofstream(folder_ / "b" / "._m.ogg") << "x";
  std::ofstream(folder_ / "b" / ".hidden.wav") << "x";
  fs::create_symlink("nowhere.wav", folder_ / "b" / "broken.wav");
  fs::create_directory_symlink("..", folder_ / "b" / "up");
  EXPECT_EQ(names(expand_inputs({path("b")})),
            (std::vector<std::string>{path("b/broken.wav"), path("b/deep/x.mp3"), path("b/m.ogg")}));
  const auto read = read_input(path("b/broken.wav"), 16000, std::nullopt);
  ASSERT_FALSE(read.ok());
  EXPECT_EQ(read.error().message, path("b/broken.wav") + ": no such file");
}

TEST_F(Inputs, OneFolderThatCannotBeListedIsOneError) {
  // A link that leads to itself is what nobody can look into, whoever runs this.
  fs::create_symlink("loop", folder_ / "b" / "deep" / "loop");
  const auto inputs = expand_inputs({folder_.string()});
  EXPECT_EQ(names(inputs),
            (std::vector<std::string>{path("a.FLAC"), path("b/m.ogg"), path("z.wav"), folder_.string()}));
  ASSERT_TRUE(inputs.back().error.has_value());
  EXPECT_NE(inputs.back().error->message.find("b/deep/loop: cannot list"), std::string::npos)
      << inputs.back().error->message;
}

TEST_F(Inputs, RawPcmIsReadInItsFormat) {
  {
    std::ofstream out(folder_ / "pcm", std::ios::binary);
    const unsigned char frames[] = {0x00, 0x40, 0x00, 0xC0, 0x00, 0x20, 0x00, 0x20};  // (.5, -.5) (.25, .25)
    out.write(reinterpret_cast<const char*>(frames), sizeof frames);
  }
  const auto samples = read_input(path("pcm"), 16000, audio::RawFormat{.sample_rate = 16000, .channels = 2});
  ASSERT_TRUE(samples.ok()) << samples.error().message;
  EXPECT_EQ(*samples, (std::vector<float>{0.0F, 0.25F}));
  const auto folder = read_input(folder_.string(), 16000, audio::RawFormat{});
  EXPECT_FALSE(folder.ok());
  EXPECT_FALSE(read_input(path("none"), 16000, audio::RawFormat{}).ok());
}

}  // namespace
}  // namespace bittern::cli
