#include "convert/keras_file.h"

#include <fmt/format.h>
#include <hdf5.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "model/finite.h"

namespace bittern::convert {
namespace {

constexpr hsize_t kMaxNames = 8192;         // layers of a model, weights of a layer
constexpr std::size_t kMaxNameBytes = 512;  // of one
constexpr std::size_t kMaxConfigBytes = std::size_t{16} << 20U;
constexpr hsize_t kMaxElements = hsize_t{1} << 26U;  // of all weights

// One open object of HDF5, whatever its kind.
class Handle {
 public:
  explicit Handle(hid_t id) : id_(id) {}
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, H5I_INVALID_HID)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(id_, other.id_);
    return *this;
  }
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() {
    if (id_ >= 0) H5Idec_ref(id_);
  }
  explicit operator bool() const { return id_ >= 0; }
  hid_t get() const { return id_; }

 private:
  hid_t id_;
};

// HDF5 prints what it thinks to standard error unless told not to; errors here are one line of ours.
class Quiet {
 public:
  Quiet() {
    H5Eget_auto2(H5E_DEFAULT, &function_, &data_);
    H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
  }
  ~Quiet() { H5Eset_auto2(H5E_DEFAULT, function_, data_); }
  Quiet(const Quiet&) = delete;
  Quiet& operator=(const Quiet&) = delete;

 private:
  H5E_auto2_t function_ = nullptr;
  void* data_ = nullptr;
};

// The object at `path` below `from`, by hard links only: soft and external ones may lead out of the file.
std::optional<Handle> open_below(hid_t from, std::string_view path) {
  Handle at(H5Oopen(from, ".", H5P_DEFAULT));
  while (at && !path.empty()) {
    const std::size_t slash = path.find('/');
    const std::string name(path.substr(0, slash));
    path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
    H5L_info_t link{};
    if (name.empty() || name == "." || H5Lget_info(at.get(), name.c_str(), &link, H5P_DEFAULT) < 0 ||
        link.type != H5L_TYPE_HARD)
      return std::nullopt;
    at = Handle(H5Oopen(at.get(), name.c_str(), H5P_DEFAULT));
  }
  if (!at) return std::nullopt;
  return at;
}

// The strings of an attribute, fixed or of variable length; nullopt where there is none such.
std::optional<std::vector<std::string>> read_strings(hid_t object, const std::string& name,
                                                     std::size_t most_bytes) {
  if (H5Aexists(object, name.c_str()) <= 0) return std::nullopt;
  const Handle attribute(H5Aopen(object, name.c_str(), H5P_DEFAULT));
  if (!attribute) return std::nullopt;
  const Handle type(H5Aget_type(attribute.get()));
  const Handle space(H5Aget_space(attribute.get()));
  const hssize_t count = space ? H5Sget_simple_extent_npoints(space.get()) : -1;
  if (!type || count < 0 || static_cast<hsize_t>(count) > kMaxNames) return std::nullopt;
  std::vector<std::string> strings;
  if (count == 0) return strings;  // an array of no names has the type of numbers
  if (H5Tget_class(type.get()) != H5T_STRING) return std::nullopt;
  if (H5Tis_variable_str(type.get()) > 0) {
    std::vector<char*> pointers(static_cast<std::size_t>(count));
    if (H5Aread(attribute.get(), type.get(), pointers.data()) < 0) return std::nullopt;
    bool fits = true;
    for (const char* text : pointers) {
      strings.emplace_back(text == nullptr ? "" : text);
      fits = fits && strings.back().size() <= most_bytes;
    }
    H5Dvlen_reclaim(type.get(), space.get(), H5P_DEFAULT, pointers.data());
    if (!fits) return std::nullopt;
    return strings;
  }
  const std::size_t size = H5Tget_size(type.get());
  if (size == 0 || size > most_bytes) return std::nullopt;
  std::vector<char> bytes(size * static_cast<std::size_t>(count));
  if (H5Aread(attribute.get(), type.get(), bytes.data()) < 0) return std::nullopt;
  for (std::size_t at = 0; at < bytes.size(); at += size)
    strings.emplace_back(bytes.data() + at, std::find(bytes.data() + at, bytes.data() + at + size, '\0'));
  return strings;
}

// Keras cuts a list that is too long for one attribute: "layer_names0", "layer_names1", ...
std::optional<std::vector<std::string>> read_names(hid_t object, const std::string& name) {
  if (auto whole = read_strings(object, name, kMaxNameBytes)) return whole;
  std::vector<std::string> names;
  for (int part = 0;; ++part) {
    const auto some = read_strings(object, name + std::to_string(part), kMaxNameBytes);
    if (!some && part == 0) return std::nullopt;
    if (!some) return names;
    names.insert(names.end(), some->begin(), some->end());
    if (names.size() > kMaxNames) return std::nullopt;
  }
}

// "quant_conv2d/kernel:0" -> "kernel"
std::string weight_name(std::string_view path) {
  path.remove_prefix(path.find('/') == std::string_view::npos ? 0 : path.rfind('/') + 1);
  return std::string(path.substr(0, path.find(':')));
}

class Reader {
 public:
  explicit Reader(std::string file) : file_(std::move(file)) {}

  Expected<KerasFile> read() {
    const Handle file(H5Fopen(file_.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT));
    if (!file) return corrupt(file_ + ": not an HDF5 file; save the Keras model with save_weights(\"x.h5\")");
    KerasFile result;
    std::optional<Handle> weights;
    if (H5Lexists(file.get(), "model_weights", H5P_DEFAULT) > 0) {
      weights = open_below(file.get(), "model_weights");
      if (const auto config = read_strings(file.get(), "model_config", kMaxConfigBytes);
          config && config->size() == 1)
        result.config = config->front();
    } else {
      weights = open_below(file.get(), "");
    }
    const auto names = weights ? read_names(weights->get(), "layer_names") : std::nullopt;
    if (!names && H5Lexists(file.get(), "layers", H5P_DEFAULT) > 0)
      return unsupported(
          file_ +
          ": names its layers anew, as files called .weights.h5 do; call save_weights() with a "
          "name that ends in .h5 alone");
    if (!names || names->empty())
      return corrupt(file_ + ": no layers of Keras 2 in this HDF5 file (no list layer_names)");
    for (const std::string& name : *names) {
      BITTERN_ASSIGN_OR_RETURN(KerasLayer layer, read_layer(weights->get(), name));
      if (result.find(name) != nullptr)
        return corrupt(fmt::format("{}: layer {} is there twice", file_, name));
      result.layers.push_back(std::move(layer));
    }
    return result;
  }

 private:
  Expected<KerasLayer> read_layer(hid_t weights, const std::string& name) {
    const auto group = open_below(weights, name);
    const auto paths = group ? read_names(group->get(), "weight_names") : std::nullopt;
    if (!paths) return corrupt(fmt::format("{}: layer {} lacks its list weight_names", file_, name));
    KerasLayer layer{name, {}};
    for (const std::string& path : *paths) {
      const auto dataset = open_below(group->get(), path);
      if (!dataset || H5Iget_type(dataset->get()) != H5I_DATASET)
        return corrupt(fmt::format("{}: layer {} lacks its weight {}", file_, name, path));
      KerasWeight weight{weight_name(path), {}, {}};
      if (layer.find(weight.name) != nullptr)
        return unsupported(
            fmt::format("{}: layer {} is a model of its own; save that one instead", file_, name));
      if (const Status read = read_values(dataset->get(), weight); !read.ok())
        return Error{read.error().code,
                     fmt::format("{}: layer {}: {}: {}", file_, name, path, read.error().message)};
      layer.weights.push_back(std::move(weight));
    }
    return layer;
  }

  Status read_values(hid_t dataset, KerasWeight& weight) {
    const Handle type(H5Dget_type(dataset));
    const Handle space(H5Dget_space(dataset));
    const Handle properties(H5Dget_create_plist(dataset));
    if (!type || !space || !properties) return corrupt("cannot be read");
    if (H5Tget_class(type.get()) != H5T_FLOAT) return unsupported("not floating-point numbers");
    if (H5Pget_external_count(properties.get()) > 0 || H5Pget_layout(properties.get()) == H5D_VIRTUAL)
      return unsupported("the numbers are in another file");
    std::array<hsize_t, H5S_MAX_RANK> sizes{};
    const int rank = H5Sget_simple_extent_ndims(space.get());
    if (rank < 1 || rank > 4) return unsupported(fmt::format("{} dimensions, not 1 to 4", rank));
    H5Sget_simple_extent_dims(space.get(), sizes.data(), nullptr);
    hsize_t count = 1;
    for (int i = 0; i < rank; ++i) {
      const hsize_t size = sizes[static_cast<std::size_t>(i)];
      if (size < 1 || size > kMaxElements || count * size > kMaxElements - elements_)
        return unsupported(fmt::format("more than {} numbers in the file, or none", kMaxElements));
      count *= size;
      weight.shape.push_back(static_cast<int>(size));
    }
    elements_ += count;
    weight.values.resize(static_cast<std::size_t>(count));
    if (H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, weight.values.data()) < 0)
      return corrupt("the numbers cannot be read");
    if (!model::all_finite(weight.values)) return corrupt("a number is not finite");
    return {};
  }

  std::string file_;
  hsize_t elements_ = 0;
};

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

Expected<KerasFile> read_keras_file(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) return not_found(path.string() + ": no such file");
  if (std::filesystem::is_directory(path, error)) return invalid_argument(path.string() + ": is a folder");
  const Quiet quiet;
  return Reader(path.string()).read();
}

}  // namespace bittern::convert
