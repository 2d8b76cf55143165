// Who speaks in a clip, as far as file names tell.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "datasets/dataset.h"

namespace bittern::datasets {

// From names that are unmistakable; empty where not:
//   <8 hex digits>_nohash_<n>, <word>_<8 hex digits>_nohash_<n>   Speech Commands
//   <speaker>_NO_<round>                                           Arabic Speech Commands
std::string speaker_in_name(const std::filesystem::path& path);

// Fills `speaker` of all clips. Names that are not unmistakable are taken as <speaker>_<n> or
// <label>_<speaker>_<n> only where that is plausible for all of them: every one has that form, there are at
// least three speakers, and none is called like a label (yes_1, yes_2: numbered, not named).
void find_speakers(std::vector<Clip>& clips, const std::vector<std::string>& labels);

}  // namespace bittern::datasets
