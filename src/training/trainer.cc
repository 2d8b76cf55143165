#include "training/trainer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <new>
#include <nlohmann/json.hpp>
#include <system_error>
#include <utility>
#include <vector>

#include "training/binary_gradients.h"
#include "training/exporter.h"
#include "training/modules.h"
#include "training/replicas.h"
#include "training/teachers.h"
#include "training/threads.h"
#include "training/torch.h"
#include "training/training_data.h"
#include "training/training_loop.h"

namespace bittern::training {
namespace {

// A resumed run is the same run: whatever decides its outcome must be as it was.
Status check_same_recipe(const RunFolder& folder, const Recipe& given) {
  BITTERN_ASSIGN_OR_RETURN(const Recipe stored, folder.read_recipe());
  const std::vector<std::string> different = differences(stored, given);
  if (different.empty()) return {};
  return invalid_argument(fmt::format("{}: the run was started with {}; resume it with the same options",
                                      folder.root.string(), fmt::join(different, ", ")));
}

// Those of this rank that every other has, too, in this rank's order.
Expected<std::vector<Precision>> common_precisions(ProcessGroup& group) {
  std::vector<Precision> result = supported_precisions();
  for (const Precision precision : {Precision::kInt16, Precision::kBf16}) {
    BITTERN_ASSIGN_OR_RETURN(const bool missing, group.any(!is_supported(precision)));
    if (missing) result.erase(std::remove(result.begin(), result.end(), precision), result.end());
  }
  return result;
}

// kAuto becomes what the run that goes on was started with, or the best for the machines that train.
Expected<Precision> settle_precision(const TrainOptions& options, const std::vector<Precision>& possible) {
  const RunFolder folder{options.out};
  const bool cpu = options.recipe.device == "cpu";
  std::error_code ignored;
  Precision precision = options.recipe.precision;
  if (precision == Precision::kAuto && options.start == StartMode::kResume &&
      std::filesystem::exists(folder.recipe(), ignored)) {
    BITTERN_ASSIGN_OR_RETURN(const Recipe stored, folder.read_recipe());
    precision = stored.precision;
  }
  if (precision == Precision::kAuto) return cpu ? possible.front() : Precision::kFp32;
  if (precision != Precision::kFp32 && !cpu) {
    return unsupported(
        fmt::format("--precision {}: trains on the CPU only; use fp32 with --device cuda", name(precision)));
  }
  if (std::find(possible.begin(), possible.end(), precision) == possible.end()) {
    if (options.recipe.precision == Precision::kAuto) {
      return unsupported(
          fmt::format("{}: was trained with --precision {}, for which a processor or build here has no "
                      "instructions; go on "
                      "where it began, or start anew with --overwrite",
                      folder.root.string(), name(precision)));
    }
    return unsupported(fmt::format(
        "--precision {}: {} has no instructions for it; use auto or fp32", name(precision),
        is_supported(precision) ? "the processor or build of another rank" : "this processor or build"));
  }
  return precision;
}

// Before minutes of decoding: may this run work in its folder?
Expected<FolderLock> open_run(const TrainOptions& options, TrainObserver& observer) {
  const RunFolder folder{options.out};
  BITTERN_ASSIGN_OR_RETURN(FolderLock lock, folder.prepare(options.start));
  std::error_code ignored;
  if (options.start == StartMode::kResume && std::filesystem::exists(folder.recipe(), ignored)) {
    BITTERN_RETURN_IF_ERROR(check_same_recipe(folder, options.recipe));
  } else if (options.start != StartMode::kOverwrite) {
    if (options.start == StartMode::kResume) {
      observer.notice(
          fmt::format("{}: nothing there to resume; a new training begins", folder.root.string()));
    }
    BITTERN_RETURN_IF_ERROR(folder.write_recipe(options.recipe));
  }
  return lock;
}

// What rank 0 has settled is every rank's; what they were told must be the same.
Status share_recipe(ProcessGroup& group, Recipe& recipe) {
  BITTERN_ASSIGN_OR_RETURN(const std::string text, group.from_first(to_json(recipe).dump()));
  if (group.is_first()) return {};
  BITTERN_ASSIGN_OR_RETURN(const Recipe first, recipe_from_json(nlohmann::ordered_json::parse(text)));
  if (recipe.precision == Precision::kAuto) recipe.precision = first.precision;
  const std::vector<std::string> different = differences(first, recipe);
  if (different.empty()) return {};
  return invalid_argument(
      fmt::format("rank 0 was started with {}; give all the same options", fmt::join(different, ", ")));
}

// Of several processes on one machine each takes a GPU of its own, as long as there are enough.
at::Device device_for(const Recipe& recipe, const ProcessGroup& group) {
  if (recipe.device != "cuda") return at::kCPU;
  const int index = group.local_rank() % at::detail::getCUDAHooks().getNumGPUs();
  return {at::kCUDA, static_cast<at::DeviceIndex>(index)};
}

Status train_checked(TrainOptions options, ProcessGroup& group, TrainObserver& observer) {
  options.recipe.processes = group.size();
  BITTERN_ASSIGN_OR_RETURN(const std::vector<TeacherModel> models, read_teachers(options.teachers));
  options.recipe.teachers.clear();
  for (const TeacherModel& teacher : models) options.recipe.teachers.push_back(teacher.name);
  BITTERN_RETURN_IF_ERROR(check(options.recipe));
  if (options.recipe.device == "cuda") {
    // Without it cuBLAS is not deterministic, and torch says so at every product.
    ::setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0);
    if (!at::detail::getCUDAHooks().hasCUDART())
      return unsupported("--device cuda: this libtorch was built without CUDA; use --device cpu");
    if (at::detail::getCUDAHooks().getNumGPUs() == 0)
      return unsupported("--device cuda: no CUDA device found; use --device cpu");
  }
  if (const Expected<std::string> date = source_date(); !date.ok()) return date.error();
  const features::LogMelSpec front_end;
  if (options.checkpoint_every < 1)
    return invalid_argument(
        fmt::format("a checkpoint every {} steps: must be 1 or more", options.checkpoint_every));

  datasets::ScanOptions scan = options.scan;
  scan.seed = options.recipe.seed;
  BITTERN_ASSIGN_OR_RETURN(TrainingSource source, find_training_data(options.data, scan, options.noise));
  if (options.recipe.augment.noise_probability == 0) source.noise.clear();
  BITTERN_ASSIGN_OR_RETURN(Teachers teachers,
                           Teachers::create(models, {front_end, source.dataset.labels, options.data,
                                                     options.recipe.loss.temperature}));
  BITTERN_ASSIGN_OR_RETURN(const std::vector<Precision> precisions, common_precisions(group));
  FolderLock lock;
  if (group.is_first()) {
    BITTERN_ASSIGN_OR_RETURN(options.recipe.precision, settle_precision(options, precisions));
    BITTERN_ASSIGN_OR_RETURN(lock, open_run(options, observer));
  }
  BITTERN_RETURN_IF_ERROR(share_recipe(group, options.recipe));

  const auto progress = [&](std::size_t done, std::size_t total) {
    observer.loading(done, total);
    return !observer.stop();
  };
  BITTERN_ASSIGN_OR_RETURN(TrainingData data, load_training_data(source, front_end.sample_rate, progress));
  for (const std::string& line : data.notices) observer.notice(line);
  observer.loaded(data.train.size() + data.validation.size(), data.skipped);
  BITTERN_RETURN_IF_ERROR(
      expect_same(group, data.clips_digest + data.noise_digest,
                  ": other clips or other noise than at rank 0; give all the same recordings"));
  if (group.is_first() && options.start == StartMode::kOverwrite) {
    // Not before the new training has its data.
    const RunFolder folder{options.out};
    BITTERN_RETURN_IF_ERROR(folder.clear());
    BITTERN_RETURN_IF_ERROR(folder.write_recipe(options.recipe));
  }
  if (data.noise.empty() && options.recipe.augment.noise_probability > 0)
    observer.notice("no background noise: the data set brings none and --noise was not given");

  set_threads(options.recipe.threads);
  keep_freed_memory();
  const at::Device device = device_for(options.recipe, group);
  // A GPU has no deterministic version of some operations: there torch warns, and bits may differ.
  at::globalContext().setDeterministicAlgorithms(true, /*warn_only=*/device.is_cuda());
  at::globalContext().setAllowTF32CuDNN(false);
  BITTERN_ASSIGN_OR_RETURN(graph::Network network,
                           build_network(options.recipe, front_end, static_cast<int>(data.labels.size())));
  BITTERN_ASSIGN_OR_RETURN(TrainableNetwork trainable,
                           TrainableNetwork::create(std::move(network), options.recipe.binary_optimizer,
                                                    options.recipe.seed, options.recipe.float_epochs > 0));
  trainable.to(device);
  trainable.set_precision(options.recipe.precision);
  return TrainingLoop(options, group, observer, std::move(data), std::move(teachers), std::move(trainable))
      .run();
}

Error out_of_memory() { return {ErrorCode::kOutOfMemory, "out of memory while training: lower --batch"}; }

Status train_guarded(const TrainOptions& options, ProcessGroup& group, TrainObserver& observer) {
  try {
    return train_checked(options, group, observer);
  } catch (const c10::Error& error) {
    const std::string text = error.what_without_backtrace();
    if (text.find("can't allocate memory") != std::string::npos ||
        text.find("out of memory") != std::string::npos)
      return out_of_memory();
    return Error{ErrorCode::kInternal, fmt::format("libtorch: {}", text)};
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  }
}

}  // namespace

Status train(const TrainOptions& options, ProcessGroup& group, TrainObserver& observer) {
  const Status trained = train_guarded(options, group, observer);
  if (trained.ok()) return group.finish();
  group.fail(trained.error());
  return trained;
}

Status train(const TrainOptions& options, TrainObserver& observer) {
  ProcessGroup alone;
  return train(options, alone, observer);
}

}  // namespace bittern::training
