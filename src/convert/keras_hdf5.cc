#include "convert/keras_hdf5.h"

#include <fmt/format.h>
#include <hdf5.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "model/finite.h"

namespace bittern::convert {
namespace {

using Strings = std::vector<std::string>;

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

// A file that is only read needs no lock, which some network file systems lack.
Handle open_file(const std::string& path) {
  const Handle access(H5Pcreate(H5P_FILE_ACCESS));
  H5Pset_fapl_sec2(access.get());  // whatever the environment says
  H5Pset_file_locking(access.get(), 0, 1);
  return Handle(H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()));
}

bool has_link(hid_t group, const char* name) { return H5Lexists(group, name, H5P_DEFAULT) > 0; }

// The object at `path` below `from`, by hard links only: soft and external ones may lead out of the file. No
// path is long enough for a group that contains itself to matter.
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

struct TextLimits {
  std::size_t texts;
  std::size_t bytes;  // of each
};

std::optional<Strings> read_variable_strings(hid_t attribute, hid_t type, hid_t space, std::size_t count,
                                             const TextLimits& limits) {
  std::vector<char*> pointers(count);
  if (H5Aread(attribute, type, pointers.data()) < 0) return std::nullopt;
  Strings strings;
  bool fits = true;
  for (const char* text : pointers) {
    strings.emplace_back(text == nullptr ? "" : text);
    fits = fits && strings.back().size() <= limits.bytes;
  }
  H5Dvlen_reclaim(type, space, H5P_DEFAULT, pointers.data());
  if (!fits) return std::nullopt;
  return strings;
}

std::optional<Strings> read_fixed_strings(hid_t attribute, hid_t type, std::size_t count,
                                          const TextLimits& limits) {
  const std::size_t size = H5Tget_size(type);
  if (size == 0 || size > limits.bytes || count > limits.texts) return std::nullopt;
  std::vector<char> bytes(size * count);
  if (H5Aread(attribute, type, bytes.data()) < 0) return std::nullopt;
  Strings strings;
  for (auto at = bytes.begin(); at != bytes.end(); at += static_cast<std::ptrdiff_t>(size))
    strings.emplace_back(at, std::find(at, at + static_cast<std::ptrdiff_t>(size), '\0'));
  return strings;
}

// The texts of an attribute that is there, fixed or of variable length; nullopt where it is anything else.
std::optional<Strings> read_strings(hid_t object, const std::string& name, const TextLimits& limits) {
  const Handle attribute(H5Aopen(object, name.c_str(), H5P_DEFAULT));
  if (!attribute) return std::nullopt;
  const Handle type(H5Aget_type(attribute.get()));
  const Handle space(H5Aget_space(attribute.get()));
  const hssize_t points = space ? H5Sget_simple_extent_npoints(space.get()) : -1;
  if (!type || points < 0 || static_cast<hsize_t>(points) > limits.texts) return std::nullopt;
  const auto count = static_cast<std::size_t>(points);
  if (count == 0) return Strings();  // an array of no names has the type of numbers
  if (H5Tget_class(type.get()) != H5T_STRING) return std::nullopt;
  return H5Tis_variable_str(type.get()) > 0
             ? read_variable_strings(attribute.get(), type.get(), space.get(), count, limits)
             : read_fixed_strings(attribute.get(), type.get(), count, limits);
}

bool has_attribute(hid_t object, const std::string& name) { return H5Aexists(object, name.c_str()) > 0; }

// Keras cuts a list that is too long for one attribute: "layer_names0", "layer_names1", ... No list where
// there is none of that name. The error does not say where.
Expected<std::optional<Strings>> read_names(hid_t object, const std::string& name, std::size_t most) {
  const TextLimits limits{most, kMaxKerasNameBytes};
  const auto part = [&](const std::string& attribute) -> Expected<Strings> {
    if (auto names = read_strings(object, attribute, limits)) return std::move(*names);
    return corrupt(
        fmt::format("{} is no list of at most {} names of {} bytes", attribute, most, kMaxKerasNameBytes));
  };
  Strings names;
  if (has_attribute(object, name)) {
    BITTERN_ASSIGN_OR_RETURN(names, part(name));
    return std::optional(std::move(names));
  }
  if (!has_attribute(object, name + "0")) return std::optional<Strings>();
  for (int i = 0; has_attribute(object, name + std::to_string(i)); ++i) {
    BITTERN_ASSIGN_OR_RETURN(const Strings some, part(name + std::to_string(i)));
    names.insert(names.end(), some.begin(), some.end());
    if (names.size() > most) return corrupt(fmt::format("{} has more than {} names", name, most));
  }
  return std::optional(std::move(names));
}

// "quant_conv2d/kernel:0" -> "kernel"
std::string weight_name(std::string_view path) {
  path.remove_prefix(path.find('/') == std::string_view::npos ? 0 : path.rfind('/') + 1);
  return std::string(path.substr(0, path.find(':')));
}

bool is_known_float(hid_t type) {
  const std::array<hid_t, 4> known{H5T_IEEE_F32LE, H5T_IEEE_F32BE, H5T_IEEE_F64LE, H5T_IEEE_F64BE};
  return std::any_of(known.begin(), known.end(), [&](hid_t one) { return H5Tequal(type, one) > 0; });
}

class Reader {
 public:
  explicit Reader(const std::string& path) : path_(path) {}

  Expected<KerasFile> read() {
    std::error_code error;
    file_bytes_ = std::filesystem::file_size(path_, error);
    if (error) return io_error("cannot be read: " + error.message());
    const Handle file = open_file(path_);
    if (!file) return why_not_open();
    KerasFile result;
    std::optional<Handle> weights;
    if (has_link(file.get(), "model_weights")) {
      weights = open_below(file.get(), "model_weights");
      if (!weights) return corrupt("its model_weights is no group of this file");
      BITTERN_ASSIGN_OR_RETURN(result.config, read_config(file.get()));
    } else {
      weights = open_below(file.get(), "");
      if (!weights) return corrupt("has no groups in it; copy or save it again");
    }
    BITTERN_ASSIGN_OR_RETURN(const auto names, read_names(weights->get(), "layer_names", kMaxKerasLayers));
    if (!names && has_link(file.get(), "layers"))
      return unsupported(
          "names its layers anew, as files called .weights.h5 do; call save_weights() with a name that ends "
          "in .h5 alone");
    if (!names || names->empty())
      return corrupt("no layers of Keras 2 in this HDF5 file (no list layer_names)");
    for (const std::string& name : *names) {
      if (result.find(name) != nullptr) return corrupt(fmt::format("layer {} is there twice", name));
      BITTERN_ASSIGN_OR_RETURN(KerasLayer layer, read_layer(weights->get(), name));
      result.layers.push_back(std::move(layer));
    }
    return result;
  }

 private:
  Error why_not_open() const {
    if (H5Fis_hdf5(path_.c_str()) > 0)
      return corrupt("the HDF5 file is damaged or cut short; copy or save it again");
    return corrupt("not an HDF5 file; save the Keras model with save_weights(\"x.h5\")");
  }

  static Expected<std::string> read_config(hid_t file) {
    if (!has_attribute(file, "model_config")) return std::string();
    auto config = read_strings(file, "model_config", {1, kMaxKerasConfigBytes});
    if (config && config->size() == 1 && !config->front().empty()) return std::move(config->front());
    return corrupt(fmt::format("its model_config is no text of at most {} MiB", kMaxKerasConfigBytes >> 20U));
  }

  Expected<KerasLayer> read_layer(hid_t weights, const std::string& name) {
    const auto group = open_below(weights, name);
    if (!group || name.empty()) return corrupt(fmt::format("layer {} is listed, but not there", name));
    const auto in_layer = [&](const Error& error) {
      return Error{error.code, fmt::format("layer {}: {}", name, error.message)};
    };
    const auto paths = read_names(group->get(), "weight_names", kMaxKerasWeights);
    if (!paths.ok()) return in_layer(paths.error());
    if (!paths->has_value()) return corrupt(fmt::format("layer {} lacks its list weight_names", name));
    KerasLayer layer{name, {}};
    for (const std::string& path : **paths) {
      const auto dataset = open_below(group->get(), path);
      if (!dataset || H5Iget_type(dataset->get()) != H5I_DATASET)
        return corrupt(fmt::format("layer {} lacks its weight {}", name, path));
      KerasWeight weight{weight_name(path), {}, {}};
      if (layer.find(weight.name) != nullptr)
        return unsupported(fmt::format("layer {} is a model of its own; save that one instead", name));
      if (const Status read = read_values(dataset->get(), weight); !read.ok())
        return in_layer({read.error().code, fmt::format("{}: {}", path, read.error().message)});
      layer.weights.push_back(std::move(weight));
    }
    return layer;
  }

  // Whether all `bytes` of the numbers lie in this file, in one piece, as they are: what Keras writes. So no
  // more is allocated than the file is large, no filter is run, and no number is one that was never written.
  Status check_storage(hid_t dataset, std::size_t bytes) const {
    const Handle properties(H5Dget_create_plist(dataset));
    if (!properties) return corrupt("cannot be read");
    const H5D_layout_t layout = H5Pget_layout(properties.get());
    if (layout == H5D_VIRTUAL || H5Pget_external_count(properties.get()) != 0)
      return unsupported("the numbers are in another file");
    if (layout != H5D_CONTIGUOUS || H5Pget_nfilters(properties.get()) != 0)
      return unsupported(
          "the numbers are not in one piece and uncompressed; save them again with Keras itself");
    const haddr_t offset = H5Dget_offset(dataset);
    if (offset == HADDR_UNDEF || H5Dget_storage_size(dataset) != bytes || offset > file_bytes_ ||
        bytes > file_bytes_ - offset)
      return corrupt("not all of the numbers are in the file; copy or save it again");
    return {};
  }

  Status read_values(hid_t dataset, KerasWeight& weight) {
    const Handle type(H5Dget_type(dataset));
    const Handle space(H5Dget_space(dataset));
    if (!type || !space) return corrupt("cannot be read");
    if (!is_known_float(type.get())) return unsupported("the numbers are not float32 or float64");
    std::array<hsize_t, H5S_MAX_RANK> sizes{};
    const int rank = H5Sget_simple_extent_ndims(space.get());
    if (rank < 1 || rank > 4) return unsupported(fmt::format("{} dimensions, not 1 to 4", rank));
    if (H5Sget_simple_extent_dims(space.get(), sizes.data(), nullptr) != rank)
      return corrupt("cannot be read");
    std::size_t count = 1;
    for (int i = 0; i < rank; ++i) {
      const hsize_t size = sizes[static_cast<std::size_t>(i)];
      if (size < 1) return unsupported("has no numbers");
      if (size > kMaxKerasNumbers || count * size > kMaxKerasNumbers - numbers_)
        return unsupported(fmt::format("more than {} numbers in the file", kMaxKerasNumbers));
      count *= static_cast<std::size_t>(size);
      weight.shape.push_back(static_cast<int>(size));
    }
    BITTERN_RETURN_IF_ERROR(check_storage(dataset, count * H5Tget_size(type.get())));
    numbers_ += count;
    weight.values.resize(count);
    if (H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, weight.values.data()) < 0)
      return corrupt("the numbers cannot be read");
    if (!model::all_finite(weight.values)) return corrupt("a number is not finite");
    return {};
  }

  const std::string& path_;
  std::uintmax_t file_bytes_ = 0;
  std::size_t numbers_ = 0;
};

}  // namespace

Expected<KerasFile> read_keras_hdf5(const std::string& path) {
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);  // errors are one line of ours
  H5PLset_loading_state(0);                     // no filters from folders of plugins
  return Reader(path).read();
}

}  // namespace bittern::convert
