// From logits to accuracies, exits taken and work done. Everything here is plain counting over what collect()
// kept.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "evaluation/collect.h"
#include "evaluation/interval.h"
#include "exits/rule.h"

namespace bittern::evaluation {

// What every exit said about every clip, [clips, exits].
struct Answers {
  std::size_t clips = 0;
  std::size_t exits = 0;
  std::size_t classes = 0;
  std::vector<exits::Answer> values;

  std::span<const exits::Answer> of(std::size_t clip) const {
    return std::span(values).subspan(clip * exits, exits);
  }
};

// temperatures: [exits]. only: a mask over the classes, empty for all.
Answers answer_all(const Collected& collected, std::span<const float> temperatures,
                   std::span<const std::uint8_t> only);

// What is known about the clips.
struct Truth {
  std::vector<int> labels;            // [clips], index into the model's labels
  std::vector<std::uint32_t> groups;  // [clips], from group_by_speaker()
  // [clips], 1 where the speaker is known; empty: where no one asks.
  std::vector<std::uint8_t> speaker_known = {};
};

// The exit, from 1, at which `policy` leaves.
int exit_taken(std::span<const exits::Answer> answers, const exits::Policy& policy);

// What a policy does to all clips.
struct Outcome {
  Proportion accuracy;
  double average_exit = 0;
  double macs_share = 0;                                      // mean over clips
  std::vector<std::size_t> histogram;                         // [exits]: clips that left there
  std::vector<std::vector<std::size_t>> histogram_per_class;  // [classes][exits], by the true class
  std::vector<std::vector<std::size_t>> confusion;            // [truth][answer]
  std::vector<int> exits;                                     // [clips], from 1
};

Outcome apply(const exits::Policy& policy, const Answers& answers, const Truth& truth,
              const Collected& collected);

// An outcome beside the last exit, clip by clip.
struct Exchange {
  std::size_t lost = 0;  // clips that the last exit gets right and the outcome wrong
  std::size_t won = 0;   // the other way round
};
Exchange against_last_exit(const Outcome& outcome, const Answers& answers, const Truth& truth);

// counts[truth][answer] where every clip leaves at exit `exit` (from 1).
std::vector<std::vector<std::size_t>> confusion(const Answers& answers, const Truth& truth, int exit,
                                                std::size_t classes);

// The accuracy among the clips of each class, at exit `exit` (from 1). Classes without clips have clips == 0.
std::vector<Proportion> accuracy_per_class(const Answers& answers, const Truth& truth, int exit,
                                           std::size_t classes);

}  // namespace bittern::evaluation
