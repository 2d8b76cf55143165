#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <span>

#include "core/checksum.h"
#include "core/mapped_file.h"
#include "model/file.h"
#include "model/limits.h"
#include "model/network_reader.h"
#include "model/schema.h"
#include "model/stored_values.h"

namespace bittern::model {
namespace {

using Bytes = std::span<const std::byte>;

const std::uint8_t* as_octets(const std::byte* bytes) { return reinterpret_cast<const std::uint8_t*>(bytes); }

std::string version_text(std::uint64_t major, std::uint64_t minor) {
  return std::to_string(major) + "." + std::to_string(minor);
}

// Checks what every version of the format shares: identifier, version, length, checksum. Nothing behind the
// header is looked at before the checksum says that the file is what its writer made.
Status check_header(Bytes bytes) {
  constexpr std::size_t kIdentifierAt = 4, kIdentifierEnd = 8;
  const std::string_view identifier = schema::ModelIdentifier();
  if (bytes.size() < kIdentifierEnd ||
      std::memcmp(bytes.data() + kIdentifierAt, identifier.data(), identifier.size()) != 0)
    return corrupt("not a Bittern model (no " + std::string(identifier) + " at byte 4)");

  flatbuffers::Verifier verifier(as_octets(bytes.data()), bytes.size());
  if (!verifier.VerifyBuffer<schema::Preamble>(schema::ModelIdentifier()))
    return corrupt("damaged or cut short: its header cannot be read");
  const schema::Header& header = *flatbuffers::GetRoot<schema::Preamble>(bytes.data())->header();
  if (header.format_major() > kFormatMajor)
    return unsupported("format version " + version_text(header.format_major(), header.format_minor()) +
                       " is newer than this build reads (" + version_text(kFormatMajor, kFormatMinor) +
                       "): update Bittern, or export the model again");
  if (header.format_major() < 1) return corrupt("damaged: format version 0 does not exist");
  if (header.file_bytes() != bytes.size())
    return corrupt(std::string(header.file_bytes() > bytes.size() ? "truncated" : "bytes follow its end") +
                   ": " + std::to_string(bytes.size()) + " bytes, its header says " +
                   std::to_string(header.file_bytes()));

  const std::size_t checksum_at =
      static_cast<std::size_t>(reinterpret_cast<const std::byte*>(&header) - bytes.data()) +
      sizeof(schema::Header) - sizeof(std::uint64_t);
  constexpr std::array<std::byte, sizeof(std::uint64_t)> kZeros{};
  Digest digest;
  digest.add(bytes.first(checksum_at));
  digest.add(kZeros);
  digest.add(bytes.subspan(checksum_at + sizeof(std::uint64_t)));
  if (digest.value() != header.checksum())
    return corrupt("damaged: the checksum of its bytes is not the one that it states");
  return {};
}

template <class T>
Expected<std::span<const T>> read_tensor(const schema::Tensor& tensor, schema::ElementType type) {
  const std::uint8_t* data = tensor.data()->data();
  const std::size_t bytes = tensor.data()->size();
  if (tensor.type() != type) return corrupt("a tensor has the wrong type of elements");
  if (bytes == 0 || bytes % sizeof(T) != 0) return corrupt("a tensor ends inside an element, or is empty");
  if (!is_aligned(data)) return corrupt("a tensor is not 64-byte aligned");
  return std::span<const T>(reinterpret_cast<const T*>(data), bytes / sizeof(T));
}

// Views of the layer's tensors; their sizes are validate()'s to check.
Expected<LayerWeights> read_weights(const schema::Layer& layer) {
  constexpr std::size_t kRoles = static_cast<std::size_t>(schema::Role::MAX) + 1;
  if (layer.tensors()->size() > kRoles) return corrupt("a layer has too many tensors");
  LayerWeights weights;
  for (const schema::Tensor* tensor : *layer.tensors()) {
    if (tensor->role() == schema::Role::Bits) {
      if (!weights.bits.empty()) return corrupt("a layer has two tensors of one role");
      BITTERN_ASSIGN_OR_RETURN(weights.bits,
                               read_tensor<std::uint64_t>(*tensor, schema::ElementType::Word64));
      continue;
    }
    if (tensor->role() == schema::Role::Int8Kernel) {
      if (!weights.int8_kernel.empty()) return corrupt("a layer has two tensors of one role");
      BITTERN_ASSIGN_OR_RETURN(weights.int8_kernel,
                               read_tensor<std::int8_t>(*tensor, schema::ElementType::Int8));
      continue;
    }
    std::span<const float>* target = nullptr;
    switch (tensor->role()) {
      case schema::Role::Kernel:
        target = &weights.kernel;
        break;
      case schema::Role::Scale:
        target = &weights.scale;
        break;
      case schema::Role::Bias:
        target = &weights.bias;
        break;
      case schema::Role::NormScale:
        target = &weights.norm_scale;
        break;
      case schema::Role::NormBias:
        target = &weights.norm_bias;
        break;
      default:
        return corrupt("a tensor has an unknown role");
    }
    if (!target->empty()) return corrupt("a layer has two tensors of one role");
    BITTERN_ASSIGN_OR_RETURN(*target, read_tensor<float>(*tensor, schema::ElementType::Float32));
  }
  return weights;
}

// Tensors that share their bytes could make a small file expensive to check, and are no trainer's doing.
Status check_apart(const schema::Model& stored) {
  std::vector<std::span<const std::uint8_t>> tensors;
  for (const schema::Layer* layer : *stored.layers())
    for (const schema::Tensor* tensor : *layer->tensors())
      tensors.emplace_back(tensor->data()->data(), tensor->data()->size());
  std::sort(tensors.begin(), tensors.end(),
            [](const auto& a, const auto& b) { return std::less<>()(a.data(), b.data()); });
  for (std::size_t i = 1; i < tensors.size(); ++i) {
    if (std::less<>()(tensors[i].data(), tensors[i - 1].data() + tensors[i - 1].size()))
      return corrupt("two of its tensors overlap");
  }
  return {};
}

Expected<std::vector<LayerWeights>> read_all_weights(const schema::Model& stored) {
  BITTERN_RETURN_IF_ERROR(check_apart(stored));
  std::vector<LayerWeights> weights;
  weights.reserve(stored.layers()->size());
  for (const schema::Layer* layer : *stored.layers()) {
    BITTERN_ASSIGN_OR_RETURN(LayerWeights layer_weights, read_weights(*layer));
    weights.push_back(layer_weights);
  }
  return weights;
}

Expected<features::LogMelSpec> read_front_end(const schema::FrontEnd& stored) {
  features::LogMelSpec spec;
  spec.sample_rate = stored.sample_rate();
  spec.clip_samples = stored.clip_samples();
  spec.frame_length = stored.frame_length();
  spec.hop = stored.hop();
  spec.fft_size = stored.fft_size();
  spec.mel_bins = stored.mel_bins();
  spec.low_hz = stored.low_hz();
  spec.high_hz = stored.high_hz();
  spec.offset = stored.offset();
  BITTERN_ASSIGN_OR_RETURN(
      spec.normalize_scale,
      read_list<float>(*stored.normalize_scale(), graph::kMaxFrequency, "normalisation scales"));
  BITTERN_ASSIGN_OR_RETURN(
      spec.normalize_bias,
      read_list<float>(*stored.normalize_bias(), graph::kMaxFrequency, "normalisation biases"));
  return spec;
}

Expected<std::vector<std::string>> read_labels(const schema::Model& stored) {
  if (stored.labels()->size() > graph::kMaxClasses)
    return corrupt(std::to_string(stored.labels()->size()) + " labels, more than " +
                   std::to_string(graph::kMaxClasses));
  std::vector<std::string> labels;
  for (const flatbuffers::String* label : *stored.labels()) {
    BITTERN_ASSIGN_OR_RETURN(std::string text, read_text(*label, kMaxNameBytes, "a label"));
    labels.push_back(std::move(text));
  }
  return labels;
}

Expected<std::vector<OperatingPoint>> read_operating_points(const schema::Model& stored) {
  if (stored.operating_points()->size() > kMaxOperatingPoints)
    return corrupt(std::to_string(stored.operating_points()->size()) + " operating points, more than " +
                   std::to_string(kMaxOperatingPoints));
  std::vector<OperatingPoint> points;
  for (const schema::OperatingPoint* source : *stored.operating_points()) {
    OperatingPoint point;
    BITTERN_ASSIGN_OR_RETURN(point.name,
                             read_text(*source->name(), kMaxNameBytes, "an operating point's name"));
    BITTERN_ASSIGN_OR_RETURN(point.rule,
                             read_text(*source->rule(), kMaxNameBytes, "an operating point's rule"));
    BITTERN_ASSIGN_OR_RETURN(point.thresholds,
                             read_list<float>(*source->thresholds(), graph::kMaxExits, "thresholds"));
    BITTERN_ASSIGN_OR_RETURN(point.promise,
                             read_text(*source->promise(), kMaxTextBytes, "an operating point's promise"));
    points.push_back(std::move(point));
  }
  return points;
}

Expected<Provenance> read_provenance(const schema::Provenance& stored) {
  Provenance provenance;
  struct Field {
    std::string& target;
    const flatbuffers::String* source;
  };
  for (const Field& field :
       {Field{provenance.architecture, stored.architecture()},
        Field{provenance.placement, stored.placement()}, Field{provenance.data_name, stored.data_name()},
        Field{provenance.data_digest, stored.data_digest()}, Field{provenance.recipe, stored.recipe()},
        Field{provenance.metrics, stored.metrics()}, Field{provenance.tool_version, stored.tool_version()},
        Field{provenance.license, stored.license()}, Field{provenance.date, stored.date()}}) {
    BITTERN_ASSIGN_OR_RETURN(field.target,
                             read_text(*field.source, kMaxTextBytes, "a text of the provenance"));
  }
  provenance.seed = stored.seed();
  return provenance;
}

// Bounds every offset. A model of the largest allowed size has this many tables at most.
Status verify_structure(Bytes bytes) {
  using flatbuffers::uoffset_t;
  constexpr uoffset_t kMaxDepth = 8;
  constexpr auto kRoles = static_cast<uoffset_t>(schema::Role::MAX) + 1;
  constexpr uoffset_t kTablesPerLayer = 2 + kRoles;  // itself, its op, its tensors
  constexpr auto kMaxLayers = static_cast<uoffset_t>(graph::kMaxLayers);
  constexpr auto kMaxPoints = static_cast<uoffset_t>(kMaxOperatingPoints);
  constexpr uoffset_t kOthers = 4;  // root, front end, provenance, self-test
  constexpr uoffset_t kMaxTables = kMaxLayers * kTablesPerLayer + kMaxPoints + kOthers;
  flatbuffers::Verifier verifier(as_octets(bytes.data()), bytes.size(), kMaxDepth, kMaxTables);
  if (!schema::VerifyModelBuffer(verifier))
    return corrupt("damaged: its structure does not hold together, or has more parts than a model may have");
  return {};
}

}  // namespace

Expected<std::shared_ptr<const Model>> read(std::span<const std::byte> bytes,
                                            std::shared_ptr<const void> owner) {
  if (bytes.empty()) return corrupt("no bytes");
  if (bytes.size() > kMaxFileBytes)
    return corrupt(std::to_string(bytes.size()) + " bytes, more than a model's limit of " +
                   std::to_string(kMaxFileBytes));
  if (!is_aligned(bytes.data()))
    return invalid_argument("a model in memory must start at a multiple of " + std::to_string(kAlignment) +
                            " bytes: align the array, or copy it");
  BITTERN_RETURN_IF_ERROR(check_header(bytes));
  BITTERN_RETURN_IF_ERROR(verify_structure(bytes));

  const schema::Model& stored = *schema::GetModel(bytes.data());
  auto model = std::make_shared<Model>();
  model->storage = std::move(owner);
  BITTERN_ASSIGN_OR_RETURN(model->network, read_network(stored));
  BITTERN_ASSIGN_OR_RETURN(model->weights, read_all_weights(stored));
  BITTERN_ASSIGN_OR_RETURN(model->front_end, read_front_end(*stored.front_end()));
  BITTERN_ASSIGN_OR_RETURN(model->labels, read_labels(stored));
  BITTERN_ASSIGN_OR_RETURN(model->temperatures,
                           read_list<float>(*stored.temperatures(), graph::kMaxExits, "temperatures"));
  BITTERN_ASSIGN_OR_RETURN(model->operating_points, read_operating_points(stored));
  BITTERN_ASSIGN_OR_RETURN(model->provenance, read_provenance(*stored.provenance()));
  if (const schema::SelfTest* test = stored.self_test()) {
    BITTERN_ASSIGN_OR_RETURN(
        auto stages, read_list<std::uint64_t>(*test->stages(), graph::kMaxExits, "stages of the self-test"));
    model->self_test = SelfTest{test->features(), std::move(stages), test->logits()};
  }
  BITTERN_RETURN_IF_ERROR(validate(*model));
  return std::shared_ptr<const Model>(std::move(model));
}

Expected<std::shared_ptr<const Model>> read_copy(std::span<const std::byte> bytes) {
  if (bytes.size() > kMaxFileBytes) return read(bytes);  // refuses it
  auto copy = std::make_shared<AlignedBuffer<std::byte>>(bytes.size());
  if (copy->size() != bytes.size())
    return Error{ErrorCode::kOutOfMemory, "no memory for a copy of the model"};
  if (!bytes.empty()) std::memcpy(copy->data(), bytes.data(), bytes.size());
  const Bytes view = copy->span();
  return read(view, std::move(copy));
}

Expected<std::shared_ptr<const Model>> open(const std::filesystem::path& path) {
  BITTERN_ASSIGN_OR_RETURN(std::shared_ptr<const MappedFile> file, MappedFile::open(path, kMaxFileBytes));
  const Bytes bytes = file->bytes();
  auto model = read(bytes, std::move(file));
  if (!model.ok()) return Error{model.error().code, path.string() + ": " + model.error().message};
  return model;
}

}  // namespace bittern::model
