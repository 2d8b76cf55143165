// The HDF5 files of Keras 2: layers' names and weights, of a whole model or of weights alone.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "convert/contained.h"
#include "core/status.h"

namespace bittern::convert {

struct KerasWeight {
  std::string name;        // "kernel", "moving_mean": without the layer's name and ":0"
  std::vector<int> shape;  // at most 4 sizes
  std::vector<float> values;
};

struct KerasLayer {
  std::string name;                  // "quant_conv2d_3"
  std::vector<KerasWeight> weights;  // none where the layer has none

  const KerasWeight* find(std::string_view weight) const;  // nullptr where there is none
};

struct KerasFile {
  std::vector<KerasLayer> layers;  // in the file's order: from the input to the outputs
  std::string config;              // the model's JSON; empty in a file of weights

  const KerasLayer* find(std::string_view layer) const;
};

// A file from outside: everything is checked against limits (keras_hdf5.h) before it is allocated, nothing
// outside the file is read (HDF5 can link to other files), and what the HDF5 library does with a damaged file
// happens in a process of its own, which may crash, hang or meet a limit. Only numbers that lie in the file
// uncompressed and in one piece are read: what Keras writes. Errors, with the file's name: kNotFound,
// kInvalidArgument (no regular file), kIo, kCorrupt, kUnsupported, kOutOfMemory; without it kCancelled. To be
// called while no other thread runs.
Expected<KerasFile> read_keras_file(const std::filesystem::path& path, const ContainedLimits& limits = {});

}  // namespace bittern::convert
