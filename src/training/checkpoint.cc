#include "training/checkpoint.h"

#include <fmt/format.h>
#include <torch/serialize/archive.h>

#include <map>
#include <nlohmann/json.hpp>

#include "core/atomic_file.h"
#include "training/torch.h"

namespace bittern::training {
namespace {

constexpr std::int64_t kVersion = 1;

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

at::Tensor compact(const at::Tensor& tensor) {
  const at::Tensor values = tensor.detach();
  return values.abs().eq(1).all().item<bool>() ? values.to(at::kChar) : values;
}

}  // namespace

Status save_checkpoint(const Checkpoint& checkpoint, const std::filesystem::path& path) {
  const at::NoGradGuard no_grad;
  return write_file_with(path, [&](const std::filesystem::path& temporary) -> Status {
    try {
      torch::serialize::OutputArchive archive;
      // Doubles travel as text in their shortest exact form.
      const Json header = {{"version", kVersion},
                           {"position", to_json(checkpoint.position)},
                           {"recipe", checkpoint.recipe},
                           {"data_digest", checkpoint.data_digest}};
      archive.write("header", c10::IValue(header.dump()));
      c10::Dict<std::string, at::Tensor> tensors;
      for (const NamedTensor& tensor : checkpoint.tensors) tensors.insert(tensor.name, compact(tensor.value));
      archive.write("tensors", c10::IValue(tensors));
      archive.save_to(temporary.string());
      return {};
    } catch (const std::exception& error) {
      return io_error(fmt::format("{}: cannot write the checkpoint: {}", path.string(), error.what()));
    }
  });
}

Expected<Checkpoint> load_checkpoint(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored))
    return not_found(fmt::format("{}: no checkpoint there to resume from", path.string()));
  try {
    torch::serialize::InputArchive archive;
    archive.load_from(path.string());
    c10::IValue header_value;
    c10::IValue tensors_value;
    archive.read("header", header_value);
    archive.read("tensors", tensors_value);
    const Json header = Json::parse(header_value.toStringRef());
    if (header.at("version").get<std::int64_t>() > kVersion)
      return unsupported(fmt::format("{}: a checkpoint of a newer version", path.string()));
    Checkpoint checkpoint;
    checkpoint.position = position_from_json(header.at("position"));
    header.at("recipe").get_to(checkpoint.recipe);
    header.at("data_digest").get_to(checkpoint.data_digest);
    for (const auto& entry : c10::impl::toTypedDict<std::string, at::Tensor>(tensors_value.toGenericDict()))
      checkpoint.tensors.push_back({entry.key(), entry.value()});
    return checkpoint;
  } catch (const std::exception&) {
    return corrupt(fmt::format("{}: not a whole checkpoint; start anew with --overwrite", path.string()));
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
