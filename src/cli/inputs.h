// Recordings named on the command line: files, folders, standard input.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "audio/audio.h"
#include "core/status.h"

namespace bittern::cli {

inline constexpr const char* kStandardInput = "-";

struct Input {
  std::string name;            // as printed: the path, or "-"
  std::optional<Error> error;  // a folder (or one in it) that cannot be read, or holds no recordings
  bool found = false;          // in a folder, where only files are looked for: reading it waits for nobody
};

// Folders become the recordings in them and below, sorted by path, hidden ones left out; everything else
// stays as it is, in order.
std::vector<Input> expand_inputs(const std::vector<std::string>& names);

// Mono samples at `sample_rate`. With `raw`, the input is 16-bit PCM of that format; without, a recording in
// any format that decode() knows. Standard input is spooled to an unnamed temporary file first, because most
// formats need to seek; kCancelled when interrupted meanwhile.
Expected<std::vector<float>> read_input(const std::string& name, int sample_rate,
                                        const std::optional<audio::RawFormat>& raw);

}  // namespace bittern::cli
