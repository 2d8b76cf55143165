#include "datasets/splitting.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace bittern::datasets {
namespace {

std::array<int, 3> counts(const std::vector<Clip>& clips, int label) {
  std::array<int, 3> found = {};
  for (const Clip& clip : clips)
    if (clip.label == label) ++found[static_cast<std::size_t>(clip.split)];
  return found;
}

// `speakers` speakers who each say every one of `labels` words `times` times; no names: no speakers.
std::vector<Clip> words(int labels, int speakers, int times, bool named = true) {
  std::vector<Clip> clips;
  for (int label = 0; label < labels; ++label)
    for (int speaker = 0; speaker < speakers; ++speaker)
      for (int k = 0; k < times; ++k)
        clips.push_back({.path = "/data/" + std::to_string(label) + "/" + std::to_string(speaker) + "-" +
                                 std::to_string(k) + ".wav",
                         .label = label,
                         .speaker = named ? "speaker" + std::to_string(speaker) : ""});
  return clips;
}

TEST(SplitBySpeaker, TenthsOfEveryLabelBySpeaker) {
  std::vector<Clip> clips = words(5, 200, 2);
  split_by_speaker(clips, "/data");
  std::map<std::string, std::set<Split>> splits;
  for (const Clip& clip : clips) splits[clip.speaker].insert(clip.split);
  for (const auto& [speaker, of_speaker] : splits) EXPECT_EQ(of_speaker.size(), 1U) << speaker;
  for (int label = 0; label < 5; ++label)
    EXPECT_EQ(counts(clips, label), (std::array<int, 3>{320, 40, 40})) << label;
}

TEST(SplitBySpeaker, ByFileWhereNobodyIsNamed) {
  std::vector<Clip> clips = words(3, 100, 1, false);
  split_by_speaker(clips, "/data");
  for (int label = 0; label < 3; ++label)
    EXPECT_EQ(counts(clips, label), (std::array<int, 3>{80, 10, 10})) << label;
}

TEST(SplitBySpeaker, FewSpeakers) {
  const auto of = [](int speakers) {
    std::vector<Clip> clips = words(2, speakers, 10);
    split_by_speaker(clips, "/data");
    return counts(clips, 0);
  };
  EXPECT_EQ(of(1), (std::array<int, 3>{10, 0, 0}));
  EXPECT_EQ(of(2), (std::array<int, 3>{10, 0, 10}));
  EXPECT_EQ(of(3), (std::array<int, 3>{10, 10, 10}));
  EXPECT_EQ(of(6), (std::array<int, 3>{40, 10, 10}));
}

TEST(SplitBySpeaker, SpeakersOfOneLabelEach) {
  // As with languages: nobody speaks two.
  std::vector<Clip> clips;
  for (int label = 0; label < 4; ++label)
    for (int speaker = 0; speaker < 5; ++speaker)
      for (int k = 0; k < 6; ++k) {
        const std::string name = std::to_string(label) + "-" + std::to_string(speaker);
        clips.push_back({.path = "/data/" + name + "/" + std::to_string(k), .label = label, .speaker = name});
      }
  split_by_speaker(clips, "/data");
  for (int label = 0; label < 4; ++label)
    EXPECT_EQ(counts(clips, label), (std::array<int, 3>{18, 6, 6})) << label;
}

TEST(SplitBySpeaker, TheOnlySpeakerOfALabelStaysInTrain) {
  // Nine say the first word, one of them alone says the second; another pair shares the third.
  for (int alone = 0; alone < 9; ++alone) {
    std::vector<Clip> clips = words(1, 9, 3);
    const auto also = [&clips](int label, int speaker) {
      Clip clip = clips[static_cast<std::size_t>(3 * speaker)];
      clip.label = label;
      clip.path = "/data/" + std::to_string(label) + "/" + clip.speaker + ".wav";
      clips.push_back(clip);
    };
    also(1, alone);
    also(2, alone);
    also(2, (alone + 1) % 9);
    split_by_speaker(clips, "/data");
    for (const int of_split : counts(clips, 0)) EXPECT_GE(of_split, 3) << alone;
    EXPECT_EQ(counts(clips, 1), (std::array<int, 3>{1, 0, 0})) << alone;
    EXPECT_GE(counts(clips, 2)[0], 1) << alone;
  }
}

TEST(SplitBySpeaker, OrderOfClipsDoesNotMatter) {
  std::vector<Clip> clips = words(3, 40, 2);
  std::vector<Clip> turned(clips.rbegin(), clips.rend());
  split_by_speaker(clips, "/data");
  split_by_speaker(turned, "/data");
  std::reverse(turned.begin(), turned.end());
  for (std::size_t i = 0; i < clips.size(); ++i) ASSERT_EQ(clips[i].split, turned[i].split);
}

TEST(SplitBySpeaker, ThePlaceOfTheFolderDoesNotMatter) {
  std::vector<Clip> here = words(2, 50, 1, false);
  std::vector<Clip> there = here;
  for (Clip& clip : there) clip.path = "/elsewhere" / clip.path.lexically_relative("/data");
  split_by_speaker(here, "/data");
  split_by_speaker(there, "/elsewhere");
  for (std::size_t i = 0; i < here.size(); ++i) ASSERT_EQ(here[i].split, there[i].split);
}

TEST(SplitBySpeaker, ANewSpeakerMovesFewOthers) {
  std::vector<Clip> before = words(1, 200, 1);
  std::vector<Clip> after = before;
  after.push_back({.path = "/data/0/new.wav", .label = 0, .speaker = "new"});
  split_by_speaker(before, "/data");
  split_by_speaker(after, "/data");
  int moved = 0;
  for (std::size_t i = 0; i < before.size(); ++i) moved += before[i].split != after[i].split ? 1 : 0;
  EXPECT_LE(moved, 4);
}

TEST(DrawKey, IsTheSameOnEveryMachine) {
  // A change of these would change every split and every draw that anyone has trained on.
  EXPECT_EQ(draw_key(0, "0a7c2a8d"), 0xA879F589C5E9947FU);
  EXPECT_EQ(draw_key(1, "0a7c2a8d"), 0x87D2BCBCACF1110CU);
}

}  // namespace
}  // namespace bittern::datasets
