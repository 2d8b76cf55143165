#include "training/checkpoint.h"

#include <fmt/format.h>
#include <torch/serialize/archive.h>

#include <map>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>

#include "core/atomic_file.h"
#include "core/checksum.h"
#include "core/mapped_file.h"
#include "training/torch.h"

namespace bittern::training {
namespace {

constexpr std::int64_t kVersion = 2;
constexpr std::size_t kMaxBytes = std::size_t{1} << 32U;

// What an archive takes beside its tensors' values, generously.
constexpr std::size_t kArchiveOverhead = 1U << 16U;
constexpr std::size_t kTensorOverhead = 1024;

using Json = nlohmann::json;

Json to_json(const TrainingPosition& position) {
  return {{"epoch", position.epoch},
          {"batch", position.batch},
          {"step", position.step},
          {"loss_sums", position.loss_sums},
          {"best_accuracy", position.best_accuracy},
          {"best_epoch", position.best_epoch},
          {"metrics_bytes", position.metrics_bytes}};
}

TrainingPosition position_from_json(const Json& json) {
  TrainingPosition position;
  json.at("epoch").get_to(position.epoch);
  json.at("batch").get_to(position.batch);
  json.at("step").get_to(position.step);
  json.at("loss_sums").get_to(position.loss_sums);
  json.at("best_accuracy").get_to(position.best_accuracy);
  json.at("best_epoch").get_to(position.best_epoch);
  json.at("metrics_bytes").get_to(position.metrics_bytes);
  return position;
}

Json to_json(const Origin& origin) {
  return {{"license", origin.license},
          {"data_name", origin.data_name},
          {"data_digest", origin.data_digest},
          {"skipped", origin.skipped}};
}

Origin origin_from_json(const Json& json) {
  Origin origin;
  json.at("license").get_to(origin.license);
  json.at("data_name").get_to(origin.data_name);
  json.at("data_digest").get_to(origin.data_digest);
  json.at("skipped").get_to(origin.skipped);
  return origin;
}

at::Tensor compact(const at::Tensor& tensor) {
  const at::Tensor values = tensor.detach().cpu();
  return values.abs().eq(1).all().item<bool>() ? values.to(at::kChar) : values;
}

// The archive's checksum stands in its comment, the last bytes of a ZIP file:
// "bittern-xxh3-0123456789abcdef", over all before the digits. Torch checks nothing: a flipped bit would be
// another weight to it, or its end.
constexpr std::string_view kCommentLabel = "bittern-xxh3-";
constexpr std::size_t kDigits = 16;

std::string digits_of(std::string_view bytes) {
  return fmt::format("{:016x}", checksum(std::as_bytes(std::span(bytes.data(), bytes.size()))));
}

void seal(std::string& archive) {
  // An archive without a comment ends with the comment's length, 16 bits, little-endian.
  archive[archive.size() - 2] = static_cast<char>(kCommentLabel.size() + kDigits);
  archive += kCommentLabel;
  archive += digits_of(archive);
}

bool is_sealed(std::string_view file) {
  if (file.size() < kCommentLabel.size() + kDigits) return false;
  const std::string_view checked = file.substr(0, file.size() - kDigits);
  return checked.ends_with(kCommentLabel) && digits_of(checked) == file.substr(checked.size());
}

}  // namespace

std::string to_text(const TrainingPosition& position) { return to_json(position).dump(); }

Expected<TrainingPosition> position_from_text(const std::string& text) {
  try {
    return position_from_json(Json::parse(text));
  } catch (const Json::exception&) {
    return corrupt("a training's position is not whole");
  }
}

// Through memory: torch ends the program where a file of its own cannot be written to the end.
Status save_checkpoint(const Checkpoint& checkpoint, const std::filesystem::path& path) {
  const at::NoGradGuard no_grad;
  // Doubles travel as text in their shortest exact form.
  Json header = {{"version", kVersion},
                 {"position", to_json(checkpoint.position)},
                 {"recipe", checkpoint.recipe},
                 {"clips_digest", checkpoint.clips_digest},
                 {"noise_digest", checkpoint.noise_digest}};
  if (checkpoint.origin) header["origin"] = to_json(*checkpoint.origin);
  c10::Dict<std::string, at::Tensor> tensors;
  std::size_t size = kArchiveOverhead;
  for (const NamedTensor& tensor : checkpoint.tensors) {
    const at::Tensor value = compact(tensor.value);
    size += value.nbytes() + kTensorOverhead;
    tensors.insert(tensor.name, value);
  }
  std::string bytes;
  bytes.reserve(size);
  torch::serialize::OutputArchive archive;
  archive.write("header", c10::IValue(header.dump()));
  archive.write("tensors", c10::IValue(tensors));
  archive.save_to([&bytes](const void* data, std::size_t count) {
    bytes.append(static_cast<const char*>(data), count);
    return count;
  });
  seal(bytes);
  return write_file(path, bytes);
}

Expected<Checkpoint> load_checkpoint(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored))
    return not_found(fmt::format("{}: no checkpoint there to resume from", path.string()));
  BITTERN_ASSIGN_OR_RETURN(const auto file, MappedFile::open(path, kMaxBytes));
  const std::string_view bytes(reinterpret_cast<const char*>(file->bytes().data()), file->bytes().size());
  const Error damaged =
      corrupt(fmt::format("{}: not a whole checkpoint; start anew with --overwrite", path.string()));
  if (!is_sealed(bytes)) return damaged;
  try {
    torch::serialize::InputArchive archive;
    archive.load_from(bytes.data(), bytes.size());
    c10::IValue header_value;
    c10::IValue tensors_value;
    archive.read("header", header_value);
    archive.read("tensors", tensors_value);
    const Json header = Json::parse(header_value.toStringRef());
    if (header.at("version").get<std::int64_t>() != kVersion) {
      return unsupported(fmt::format(
          "{}: of another version of bittern; go on with that one, or start anew with --overwrite",
          path.string()));
    }
    Checkpoint checkpoint;
    checkpoint.position = position_from_json(header.at("position"));
    header.at("recipe").get_to(checkpoint.recipe);
    header.at("clips_digest").get_to(checkpoint.clips_digest);
    header.at("noise_digest").get_to(checkpoint.noise_digest);
    if (header.contains("origin")) checkpoint.origin = origin_from_json(header["origin"]);
    for (const auto& entry : c10::impl::toTypedDict<std::string, at::Tensor>(tensors_value.toGenericDict()))
      checkpoint.tensors.push_back({entry.key(), entry.value()});
    return checkpoint;
  } catch (const std::exception&) {
    return damaged;
  }
}

Status restore(const std::vector<NamedTensor>& saved, const std::vector<NamedTensor>& targets) {
  const at::NoGradGuard no_grad;
  std::map<std::string_view, const at::Tensor*> found;
  for (const NamedTensor& tensor : saved) found[tensor.name] = &tensor.value;
  for (const NamedTensor& target : targets) {
    const auto entry = found.find(target.name);
    if (entry == found.end()) return corrupt(fmt::format("checkpoint: tensor {} is missing", target.name));
    if (entry->second->sizes() != target.value.sizes())
      return corrupt(fmt::format("checkpoint: tensor {} has another shape", target.name));
    at::Tensor value = target.value;
    value.copy_(*entry->second);
  }
  return {};
}

}  // namespace bittern::training
