// What Keras 2 wrote, taken from the file by the HDF5 library.
#pragma once

#include <cstddef>
#include <string>

#include "convert/keras_file.h"
#include "core/status.h"

namespace bittern::convert {

inline constexpr std::size_t kMaxKerasLayers = 8192;
inline constexpr std::size_t kMaxKerasWeights = 64;                         // of a layer
inline constexpr std::size_t kMaxKerasNameBytes = 512;                      // of a layer or weight
inline constexpr std::size_t kMaxKerasConfigBytes = std::size_t{4} << 20U;  // the model's JSON
inline constexpr std::size_t kMaxKerasNumbers = std::size_t{1} << 26U;      // of all weights

// Everything is checked against the limits above and the file's own size before it is allocated, and nothing
// outside the file is read. But the library itself is known to crash on some damaged files: read_keras_file()
// calls this in a process of its own. Messages stand behind the file's name.
Expected<KerasFile> read_keras_hdf5(const std::string& path);

}  // namespace bittern::convert
