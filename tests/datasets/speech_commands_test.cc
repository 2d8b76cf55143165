// A miniature of Google Speech Commands v0.02 as its archive unpacks.
#include <gtest/gtest.h>

#include "audio/audio.h"
#include "datasets/tree.h"

namespace bittern::datasets {
namespace {

const std::vector<std::string> kTen = {"yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go"};
const std::vector<std::string> kOthers = {"bed", "bird", "cat"};

// Speakers 00000000 to 00000013 (hexadecimal): two are held out for validation, three for test.
std::string speaker(int number) {
  char text[9];
  std::snprintf(text, sizeof text, "%08x", static_cast<unsigned>(number));
  return text;
}

class SpeechCommands : public ::testing::Test {
 protected:
  void SetUp() override { build(kTen, kOthers); }

  void build(const std::vector<std::string>& ten, const std::vector<std::string>& others) {
    std::string validation;
    std::string testing;
    std::vector<std::string> words = ten;
    words.insert(words.end(), others.begin(), others.end());
    for (const std::string& word : words) {
      for (int number = 0; number < 20; ++number) {
        const std::string file = word + "/" + speaker(number) + "_nohash_0.wav";
        touch(folder_ / file);
        if (number < 2) validation += file + "\n";
        if (number >= 17) testing += file + "\n";
      }
    }
    test::write_bytes(folder_ / "validation_list.txt", validation);
    test::write_bytes(folder_ / "testing_list.txt", testing);
    for (const char* file : {"README.md", "LICENSE", ".DS_Store", "_background_noise_/README.md"})
      touch(folder_ / file);
    for (const char* file : {"doing_the_dishes", "pink_noise"})
      record(folder_ / (std::string("_background_noise_/") + file + ".wav"), 16000 * 20);
  }

  test::TempFolder folder_;
};

TEST_F(SpeechCommands, IsRecognised) {
  const Dataset dataset = must_scan(folder_.path());
  EXPECT_EQ(dataset.layout, "speech-commands");
  EXPECT_EQ(dataset.noise.size(), 2U);
}

TEST_F(SpeechCommands, Twelve) {
  const Dataset dataset = must_scan(folder_.path());
  EXPECT_EQ(dataset.labels, (std::vector<std::string>{"_silence_", "_unknown_", "down", "go", "left", "no",
                                                      "off", "on", "right", "stop", "up", "yes"}));
  for (const std::string& label : dataset.labels) {
    EXPECT_EQ(count(dataset, Split::kTrain, label), 15U) << label;
    EXPECT_EQ(count(dataset, Split::kValidation, label), 2U) << label;
    EXPECT_EQ(count(dataset, Split::kTest, label), 3U) << label;
  }
  EXPECT_EQ(dataset.warnings, std::vector<std::string>{});
  EXPECT_EQ(dataset.digest(), must_scan(folder_.path(), {.task = "12"}).digest());
}

TEST_F(SpeechCommands, SpeakersAndSplits) {
  const Dataset dataset = must_scan(folder_.path());
  auto splits = splits_of_speakers(dataset);
  for (const auto& [who, of_speaker] : splits) EXPECT_EQ(of_speaker.size(), 1U) << who;
  std::erase_if(splits, [](const auto& entry) { return entry.first.starts_with("_silence_:"); });
  EXPECT_EQ(splits.size(), 20U);
  EXPECT_EQ(splits.at(speaker(0)), std::set{Split::kValidation});
  EXPECT_EQ(splits.at(speaker(19)), std::set{Split::kTest});
  EXPECT_EQ(splits.at(speaker(2)), std::set{Split::kTrain});
}

TEST_F(SpeechCommands, UnknownIsDrawnWithTheSeed) {
  const auto drawn = [&](std::uint64_t seed) {
    std::set<std::string> names;
    const Dataset dataset = must_scan(folder_.path(), {.seed = seed});
    for (const Clip& clip : dataset.clips)
      if (dataset.labels[static_cast<std::size_t>(clip.label)] == "_unknown_")
        names.insert(relative_name(clip.path, dataset.root));
    return names;
  };
  const auto once = drawn(5);
  EXPECT_EQ(once.size(), 20U);  // no clip twice
  std::set<std::string> words;
  for (const std::string& name : once) words.insert(name.substr(0, name.find('/')));
  EXPECT_EQ(words, (std::set<std::string>{"bed", "bird", "cat"}));
  EXPECT_EQ(drawn(5), once);
  EXPECT_NE(drawn(6), once);
}

TEST_F(SpeechCommands, SeedLeavesValidationAndTestAlone) {
  const auto held_out = [&](std::uint64_t seed, bool train) {
    std::vector<std::string> clips;
    const Dataset dataset = must_scan(folder_.path(), {.seed = seed});
    for (const Clip& clip : dataset.clips)
      if ((clip.split == Split::kTrain) == train)
        clips.push_back(clip.path.string() + "@" + std::to_string(clip.offset_seconds));
    return clips;
  };
  EXPECT_EQ(held_out(1, false), held_out(2, false));
  EXPECT_NE(held_out(1, true), held_out(2, true));
}

TEST_F(SpeechCommands, SilenceOfTheSplitsDoesNotOverlap) {
  const Dataset dataset = must_scan(folder_.path());
  std::size_t digital = 0;
  for (const Clip& clip : dataset.clips) {
    if (dataset.labels[static_cast<std::size_t>(clip.label)] != "_silence_") continue;
    EXPECT_EQ(clip.seconds, 1);
    // Pieces of one stretch stand together in intervals.
    const std::string recording = clip.path.empty() ? "" : relative_name(clip.path, dataset.root);
    EXPECT_EQ(clip.speaker, "_silence_:" + recording + ":" + std::string(name(clip.split)));
    if (clip.path.empty()) {
      EXPECT_EQ(clip.split, Split::kTrain);
      ++digital;
      continue;
    }
    EXPECT_EQ(clip.path.parent_path().filename(), "_background_noise_");
    const double begin = clip.split == Split::kTrain ? 0 : clip.split == Split::kValidation ? 16 : 18;
    const double end = clip.split == Split::kTrain ? 16 : clip.split == Split::kValidation ? 18 : 20;
    EXPECT_GE(clip.offset_seconds, begin);
    EXPECT_LE(clip.offset_seconds + clip.seconds, end);
  }
  EXPECT_EQ(digital, 1U);  // one in ten of train's fifteen
}

TEST_F(SpeechCommands, SilenceLoads) {
  Dataset dataset = must_scan(folder_.path());
  std::erase_if(dataset.clips, [&](const Clip& clip) {
    return dataset.labels[static_cast<std::size_t>(clip.label)] != "_silence_";
  });
  for (const Split split : {Split::kTrain, Split::kValidation, Split::kTest}) {
    const auto loaded = load(dataset, split, 16000);
    ASSERT_TRUE(loaded.ok()) << loaded.error().message;
    for (const auto& samples : loaded->samples) EXPECT_EQ(samples.size(), 16000U);
  }
}

TEST_F(SpeechCommands, AllWords) {
  const Dataset dataset = must_scan(folder_.path(), {.task = "35"});
  EXPECT_EQ(dataset.labels.size(), 13U);
  EXPECT_EQ(dataset.clips.size(), 13U * 20);
  EXPECT_EQ(count(dataset, Split::kTest, "bed"), 3U);
  EXPECT_EQ(dataset.noise.size(), 2U);
  EXPECT_EQ(dataset.warnings, std::vector<std::string>{});
}

TEST_F(SpeechCommands, UnknownTask) {
  EXPECT_EQ(scan_error(folder_.path(), {.task = "10"}),
            "layout speech-commands has no task '10'; choose 12 or 35");
}

TEST_F(SpeechCommands, MissingWord) {
  std::filesystem::remove_all(folder_ / "stop");
  EXPECT_EQ(scan_error(folder_.path()),
            folder_.path().string() + ": no folder 'stop', which task 12 needs; task 35 takes what is there");
  EXPECT_TRUE(has_warning(must_scan(folder_.path(), {.task = "35"}),
                          "5 of the 65 recordings in validation_list.txt and testing_list.txt are missing"));
}

TEST_F(SpeechCommands, MisplacedThingsAreWarnedAbout) {
  std::filesystem::create_directories(folder_ / "yes/deeper");
  for (const char* name : {"loose.wav", "yes/notes.txt", "yes/deeper/a.wav", "no/b.m4a"})
    touch(folder_ / name);
  EXPECT_EQ(must_scan(folder_.path(), {.task = "35"}).warnings,
            (std::vector<std::string>{
                "left out: 1 recording outside the words' folders (first: loose.wav)",
                "left out: 1 folder inside a word's or background noise (first: yes/deeper)",
                "left out: 2 files in words' folders, not ending like WAV, FLAC, Ogg, Opus or MP3 (first: "
                "no/b.m4a)"}));
}

TEST_F(SpeechCommands, EmptyWord) {
  std::filesystem::remove_all(folder_ / "stop");
  std::filesystem::create_directory(folder_ / "stop");
  EXPECT_EQ(scan_error(folder_.path()),
            folder_.path().string() + ": label 'stop' has no clips; add some or remove its folder");
}

TEST_F(SpeechCommands, NoOtherWords) {
  for (const std::string& word : kOthers) std::filesystem::remove_all(folder_ / word);
  EXPECT_NE(scan_error(folder_.path()).find("no words beside the ten"), std::string::npos);
}

TEST_F(SpeechCommands, NoNoise) {
  std::filesystem::remove_all(folder_ / "_background_noise_");
  const Dataset dataset = must_scan(folder_.path());
  EXPECT_EQ(count(dataset, Split::kTest, "_silence_"), 3U);
  EXPECT_EQ(dataset.warnings.size(), 3U);
  EXPECT_TRUE(
      has_warning(dataset, "test has no second of background noise: its _silence_ is digital silence"));
}

TEST_F(SpeechCommands, UnreadableNoise) {
  touch(folder_ / "_background_noise_/broken.wav");
  const Dataset dataset = must_scan(folder_.path());
  EXPECT_EQ(dataset.noise.size(), 2U);
  EXPECT_TRUE(has_warning(dataset, "broken.wav: not an audio file"));
}

TEST_F(SpeechCommands, AListThatIsAFolder) {
  std::filesystem::remove(folder_ / "testing_list.txt");
  std::filesystem::create_directory(folder_ / "testing_list.txt");
  EXPECT_EQ(scan_error(folder_.path(), {.layout = "speech-commands"}),
            (folder_ / "testing_list.txt").string() + ": reading failed");
}

TEST_F(SpeechCommands, ListsMayHaveWindowsLinesAndClipsMayBeFlac) {
  std::string list;
  for (const char c : test::read_bytes(folder_ / "testing_list.txt"))
    list += c == '\n' ? "\r\n" : std::string(1, c);
  test::write_bytes(folder_ / "testing_list.txt", list);
  const std::string file = "yes/" + speaker(19) + "_nohash_0";
  std::filesystem::rename(folder_ / (file + ".wav"), folder_ / (file + ".flac"));
  const Dataset dataset = must_scan(folder_.path());
  EXPECT_EQ(count(dataset, Split::kTest, "yes"), 3U);
  EXPECT_EQ(dataset.warnings, std::vector<std::string>{});
}

}  // namespace
}  // namespace bittern::datasets
