// Ready log-mel features in a NumPy file (.npy), as any framework writes them.
#pragma once

#include <cstddef>
#include <fstream>
#include <string>
#include <vector>

#include "core/status.h"

namespace bittern::cli {

// float32, little-endian, in C order, [clips, frames, bins], or [frames, bins] for one clip.
class FeaturesFile {
 public:
  // Checks the header against the file's size and the bins against `bins`.
  static Expected<FeaturesFile> open(const std::string& path, int bins);

  std::size_t clips() const { return clips_; }
  int frames() const { return frames_; }
  // The next clip's [frames, bins].
  Status next(std::vector<float>& features);

 private:
  FeaturesFile(std::string path, std::ifstream stream, std::size_t clips, int frames, int bins)
      : path_(std::move(path)), stream_(std::move(stream)), clips_(clips), frames_(frames), bins_(bins) {}
  std::string path_;
  std::ifstream stream_;
  std::size_t clips_;
  int frames_;
  int bins_;
};

}  // namespace bittern::cli
