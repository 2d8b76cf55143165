#include "convert/keras_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <system_error>
#include <utility>

#include "convert/keras_hdf5.h"

namespace bittern::convert {
namespace {

// A KerasFile as bytes, from the process that read it to this one: numbers of 8 bytes, texts behind their
// length, floats behind their count.
class Packer {
 public:
  void number(std::uint64_t value) { append(&value, sizeof(value)); }
  void text(std::string_view value) {
    number(value.size());
    append(value.data(), value.size());
  }
  void floats(const std::vector<float>& values) {
    number(values.size());
    append(values.data(), values.size() * sizeof(float));
  }
  std::string take() { return std::move(bytes_); }

 private:
  void append(const void* data, std::size_t bytes) { bytes_.append(static_cast<const char*>(data), bytes); }
  std::string bytes_;
};

// The way back. After the first thing that does not fit all else is empty, and good() is false.
class Unpacker {
 public:
  explicit Unpacker(std::string_view bytes) : rest_(bytes) {}

  std::uint64_t number() {
    std::uint64_t value = 0;
    const std::string_view bytes = take(sizeof(value));
    if (!bytes.empty()) std::memcpy(&value, bytes.data(), sizeof(value));
    return value;
  }
  // Of at most `most` things that take at least `least` bytes each.
  std::size_t count(std::size_t least, std::size_t most = SIZE_MAX) {
    const std::uint64_t value = number();
    good_ = good_ && value <= std::min(most, rest_.size() / least);
    return good_ ? static_cast<std::size_t>(value) : 0;
  }
  std::string text() { return std::string(take(count(1))); }
  std::vector<float> floats() {
    const std::size_t values = count(sizeof(float));
    const std::string_view bytes = take(values * sizeof(float));
    std::vector<float> list(bytes.size() / sizeof(float));
    if (!list.empty()) std::memcpy(list.data(), bytes.data(), bytes.size());
    return list;
  }
  bool good() const { return good_; }
  bool finished() const { return good_ && rest_.empty(); }

 private:
  std::string_view take(std::size_t bytes) {
    good_ = good_ && bytes <= rest_.size();
    if (!good_) return {};
    const std::string_view taken = rest_.substr(0, bytes);
    rest_.remove_prefix(bytes);
    return taken;
  }

  std::string_view rest_;
  bool good_ = true;
};

std::string pack(const KerasFile& file) {
  Packer packer;
  packer.text(file.config);
  packer.number(file.layers.size());
  for (const KerasLayer& layer : file.layers) {
    packer.text(layer.name);
    packer.number(layer.weights.size());
    for (const KerasWeight& weight : layer.weights) {
      packer.text(weight.name);
      packer.number(weight.shape.size());
      for (const int size : weight.shape) packer.number(static_cast<std::uint64_t>(size));
      packer.floats(weight.values);
    }
  }
  return packer.take();
}

// False where the sizes do not give the number of values.
bool unpack_weight(Unpacker& unpacker, KerasWeight& weight) {
  weight.name = unpacker.text();
  std::uint64_t elements = 1;
  for (std::size_t i = unpacker.count(sizeof(std::uint64_t), 4); i > 0; --i) {
    const std::uint64_t size = unpacker.number();
    if (size < 1 || size > kMaxKerasNumbers || elements * size > kMaxKerasNumbers) return false;
    elements *= size;
    weight.shape.push_back(static_cast<int>(size));
  }
  weight.values = unpacker.floats();
  return unpacker.good() && !weight.shape.empty() && weight.values.size() == elements;
}

Expected<KerasFile> unpack(std::string_view bytes) {
  constexpr std::size_t kLeast = 16;  // bytes of a layer or weight: two numbers
  Unpacker unpacker(bytes);
  KerasFile file;
  file.config = unpacker.text();
  file.layers.resize(unpacker.count(kLeast, kMaxKerasLayers));
  for (KerasLayer& layer : file.layers) {
    layer.name = unpacker.text();
    layer.weights.resize(unpacker.count(kLeast, kMaxKerasWeights));
    for (KerasWeight& weight : layer.weights)
      if (!unpack_weight(unpacker, weight)) return corrupt("reading it misleads the HDF5 library");
  }
  if (!unpacker.finished()) return corrupt("reading it misleads the HDF5 library");
  return file;
}

Expected<std::string> read_and_pack(const std::string& path) {
  BITTERN_ASSIGN_OR_RETURN(const KerasFile file, read_keras_hdf5(path));
  return pack(file);
}

Expected<KerasFile> read_contained(const std::string& path, const ContainedLimits& limits) {
  BITTERN_ASSIGN_OR_RETURN(const std::string bytes,
                           run_contained([&] { return read_and_pack(path); }, limits));
  return unpack(bytes);
}

}  // namespace

const KerasWeight* KerasLayer::find(std::string_view weight) const {
  const auto found =
      std::find_if(weights.begin(), weights.end(), [&](const KerasWeight& w) { return w.name == weight; });
  return found == weights.end() ? nullptr : &*found;
}

const KerasLayer* KerasFile::find(std::string_view layer) const {
  const auto found =
      std::find_if(layers.begin(), layers.end(), [&](const KerasLayer& l) { return l.name == layer; });
  return found == layers.end() ? nullptr : &*found;
}

Expected<KerasFile> read_keras_file(const std::filesystem::path& path, const ContainedLimits& limits) {
  const std::string name = path.string();
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return not_found(name + ": no such file");
  if (std::filesystem::is_directory(path, error)) return invalid_argument(name + ": is a folder");
  if (!std::filesystem::is_regular_file(path, error))
    return invalid_argument(name + ": is no regular file; HDF5 files are not read from pipes or devices");
  if (::access(name.c_str(), R_OK) != 0) return io_error(name + ": may not be read");
  Expected<KerasFile> file = read_contained(name, limits);
  if (!file.ok() && file.error().code != ErrorCode::kCancelled)
    return Error{file.error().code, fmt::format("{}: {}", name, file.error().message)};
  return file;
}

}  // namespace bittern::convert
