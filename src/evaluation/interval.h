// An accuracy with its count and how far it can be trusted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace bittern::evaluation {

// A share of `clips` clips with its 95 % interval, all in 0 to 1. Without clips `value` is NaN and the
// interval is all of [0, 1].
struct Proportion {
  double value = 0;
  double low = 0;
  double high = 1;
  std::size_t clips = 0;
};

// Wilson's score interval (Wilson 1927) for k of n at z = 1.959964:
//   centre = (k + z^2 / 2) / (n + z^2),  half = z / (n + z^2) * sqrt(k (n - k) / n + z^2 / 4)
Proportion wilson(std::size_t right, std::size_t clips);

// One number per clip, the same for clips of one speaker. An unknown speaker ("") is one of its own.
std::vector<std::uint32_t> group_by_speaker(std::span<const std::string> speakers);
// 1 where the speaker is known.
std::vector<std::uint8_t> known_speakers(std::span<const std::string> speakers);

// The share of ones in `right` [clips]. Clips of one speaker stand or fall together, so where a group of
// `groups` [clips] has more than one clip, the groups are also drawn with replacement 2,000 times (a cluster
// bootstrap with a fixed seed), the 2.5 % and 97.5 % points of the resampled shares are taken, and the
// interval is the hull of theirs and Wilson's: a bootstrap alone would claim certainty where all clips are
// right.
Proportion proportion(std::span<const std::uint8_t> right, std::span<const std::uint32_t> groups);

}  // namespace bittern::evaluation
