#include "datasets/speakers.h"

#include <gtest/gtest.h>

namespace bittern::datasets {
namespace {

TEST(SpeakerInName, SpeechCommands) {
  EXPECT_EQ(speaker_in_name("yes/0a7c2a8d_nohash_0.wav"), "0a7c2a8d");
  EXPECT_EQ(speaker_in_name("0a7c2a8d_nohash_12.flac"), "0a7c2a8d");
  EXPECT_EQ(speaker_in_name("_unknown_/backward_0cb74144_nohash_2.wav"), "0cb74144");
  EXPECT_EQ(speaker_in_name("nine_964e8cfd_nohash_2.wav.flac"), "964e8cfd");
}

TEST(SpeakerInName, ArabicSpeechCommands) { EXPECT_EQ(speaker_in_name("up/00000021_NO_07.wav"), "00000021"); }

TEST(SpeakerInName, NotThere) {
  for (const char* name :
       {"463.flac", "0a7c2a8_nohash_0.wav", "word0a7c2a8d_nohash_0.wav", "0A7C2A8D_nohash_0.wav",
        "0a7c2a8d_nohash_x.wav", "0a7c2a8d_nohash_.wav", "_NO_1.wav", "x_NO_.wav", "jackson_3.wav", ".wav"})
    EXPECT_EQ(speaker_in_name(name), "") << name;
}

std::vector<std::string> speakers_of(const std::vector<std::pair<std::string, int>>& names,
                                     const std::vector<std::string>& labels) {
  std::vector<Clip> clips;
  clips.reserve(names.size());
  for (const auto& [path, label] : names) clips.push_back({.path = path, .label = label});
  find_speakers(clips, labels);
  std::vector<std::string> speakers;
  speakers.reserve(clips.size());
  for (const Clip& clip : clips) speakers.push_back(clip.speaker);
  return speakers;
}

using Names = std::vector<std::string>;

TEST(FindSpeakers, NumberedSpeakers) {
  EXPECT_EQ(speakers_of({{"ann_1.wav", 0}, {"bob_1.wav", 1}, {"c_d_22.wav", 0}}, {"no", "yes"}),
            (Names{"ann", "bob", "c_d"}));
}

TEST(FindSpeakers, LabelInFront) {
  EXPECT_EQ(speakers_of({{"7_ann_1.wav", 0}, {"8_ann_1.wav", 1}, {"8_bob_0.wav", 1}, {"7_eve_0.wav", 0}},
                        {"7", "8"}),
            (Names{"ann", "ann", "bob", "eve"}));
}

TEST(FindSpeakers, NumberedWordsAreNotSpeakers) {
  EXPECT_EQ(speakers_of({{"yes_1.wav", 0}, {"yes_2.wav", 0}, {"no_1.wav", 1}, {"up_1.wav", 2}},
                        {"yes", "no", "up"}),
            (Names{"", "", "", ""}));
  EXPECT_EQ(
      speakers_of({{"Yes_1.wav", 1}, {"ann_2.wav", 0}, {"bob_1.wav", 1}, {"eve_1.wav", 1}}, {"yes", "no"}),
      (Names{"", "", "", ""}));
}

TEST(FindSpeakers, OneOrTwoPrefixesAreNotSpeakers) {
  EXPECT_EQ(speakers_of({{"clip_1.wav", 0}, {"clip_2.wav", 1}, {"take_3.wav", 1}}, {"no", "yes"}),
            (Names{"", "", ""}));
}

TEST(FindSpeakers, OneOtherNameMakesTheGuessImplausible) {
  EXPECT_EQ(
      speakers_of({{"ann_1.wav", 0}, {"bob_1.wav", 1}, {"eve_1.wav", 1}, {"morning.wav", 0}}, {"no", "yes"}),
      (Names{"", "", "", ""}));
}

TEST(FindSpeakers, UnmistakableNamesStayBesideOthers) {
  EXPECT_EQ(speakers_of({{"463.flac", 0}, {"0a7c2a8d_nohash_0.flac", 1}}, {"_silence_", "yes"}),
            (Names{"", "0a7c2a8d"}));
}

}  // namespace
}  // namespace bittern::datasets
