// Decoded clips in memory, once for a whole training.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/checksum.h"
#include "core/status.h"
#include "datasets/dataset.h"

namespace bittern::training {

// Immutable after creation; may be read from several threads.
class ClipStore {
 public:
  ClipStore() = default;
  // Takes the clips over. Samples are kept as 16-bit integers where that loses nothing (any 16-bit recording
  // at the network's own rate), as floats elsewhere.
  explicit ClipStore(datasets::LoadedClips clips);

  int size() const { return static_cast<int>(clips_.size()); }
  int label(int clip) const { return labels_[static_cast<std::size_t>(clip)]; }
  std::int64_t length(int clip) const;  // samples
  std::size_t bytes() const;
  // Adds labels and samples: two stores that train alike, and no others, add the same.
  void add_to(Digest& digest) const;

  // output[i] = sample start + i of the clip, 0 outside it; start may be negative.
  void copy(int clip, std::int64_t start, std::span<float> output) const;

  // Where a window of `window` samples starts so that the clip is centred in it, or it in the clip.
  static std::int64_t centre(std::int64_t length, std::int64_t window);

 private:
  struct Samples {
    std::vector<std::int16_t> integers;
    std::vector<float> floats;  // one of the two is empty
  };
  static Samples pack(std::vector<float> samples);

  std::vector<Samples> clips_;
  std::vector<int> labels_;
};

}  // namespace bittern::training
