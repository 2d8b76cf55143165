// A split of our own for data that come without one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "datasets/dataset.h"

namespace bittern::datasets {

// Sets `split` of all clips: about 80 % train, 10 % validation, 10 % test of every label, all clips of a
// speaker in one split (a clip without a speaker stands for itself). Speakers are taken in the order of a
// hash of their names, so the split depends neither on the order of files nor on the machine, and a new clip
// moves few others. There is no seed: a model trained with one must not be tested with another on what it
// heard. Every label keeps a speaker for training; with two it has no validation, with one no test.
void split_by_speaker(std::vector<Clip>& clips, const std::filesystem::path& root);

// The hash that orders names for draws.
std::uint64_t draw_key(std::uint64_t seed, std::string_view name);

}  // namespace bittern::datasets
