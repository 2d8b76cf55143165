#include "training/trainer.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <numeric>
#include <utility>

#include "evaluation/report.h"
#include "features/log_mel_spec.h"
#include "model/file.h"
#include "training/batches.h"
#include "training/checkpoint.h"
#include "training/exporter.h"
#include "training/loss.h"
#include "training/matrix_product.h"
#include "training/modules.h"
#include "training/optimizer.h"
#include "training/threads.h"
#include "training/torch.h"
#include "training/training_data.h"
#include "training/weight_average.h"

namespace bittern::training {
namespace {

constexpr int kEvaluationBatch = 128;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

// One training from its recipe and data to its last epoch.
class Training {
 public:
  Training(const TrainOptions& options, TrainObserver& observer, TrainingData data, TrainableNetwork network)
      : options_(options),
        recipe_(options.recipe),
        observer_(observer),
        folder_{options.out},
        data_(std::move(data)),
        network_(std::move(network)),
        plan_{data_.train.size(), recipe_.batch},
        loss_(recipe_, network_.network().exit_count(), network_.parameters().front().value.device()),
        optimizer_(all_parameters(), recipe_, std::int64_t{plan_.batches()} * recipe_.epochs),
        average_(network_.parameters(), recipe_.average_decay) {
    position_.loss_sums.assign(exits(), 0.0);
  }

  Status run() {
    if (options_.start == StartMode::kResume) BITTERN_RETURN_IF_ERROR(resume());
    if (position_.epoch == recipe_.epochs) {
      observer_.notice(fmt::format("all {} epochs are done already", recipe_.epochs));
      return {};
    }
    BITTERN_ASSIGN_OR_RETURN(validation_features_, features_of(data_.validation, front_end_));
    BITTERN_ASSIGN_OR_RETURN(const float mean, mean_feature(data_.train, front_end_));

    BatchSettings settings;
    settings.front_end = front_end_;
    settings.augment = recipe_.augment;
    settings.seed = recipe_.seed;
    settings.plan = plan_;
    settings.mask_fill = mean;
    settings.first_epoch = position_.epoch;
    settings.first_batch = position_.batch;
    settings.epochs = recipe_.epochs;
    BITTERN_ASSIGN_OR_RETURN(const std::unique_ptr<BatchSource> source,
                             BatchSource::create(data_.train, data_.noise, settings));
    while (position_.epoch < recipe_.epochs) BITTERN_RETURN_IF_ERROR(run_epoch(*source));
    return {};
  }

 private:
  std::size_t exits() const { return static_cast<std::size_t>(network_.network().exit_count()); }

  Status resume() {
    const Expected<Checkpoint> checkpoint = load_checkpoint(folder_.checkpoint());
    if (!checkpoint.ok()) {
      if (checkpoint.error().code != ErrorCode::kNotFound) return checkpoint.error();
      observer_.notice(
          fmt::format("{}: no checkpoint yet, starting at the first step", folder_.root.string()));
      return folder_.start_over();
    }
    if (checkpoint->recipe != to_json(recipe_).dump()) {
      return invalid_argument(
          fmt::format("{}: is not the recipe that the run was started with; start anew with --overwrite",
                      folder_.recipe().string()));
    }
    if (checkpoint->clips_digest != data_.clips_digest) {
      return invalid_argument(
          fmt::format("{}: gives other clips than the run was started with ({} cannot be read now); restore "
                      "them, or start anew with --overwrite",
                      options_.data.string(), data_.skipped));
    }
    if (checkpoint->noise_digest != data_.noise_digest) {
      return invalid_argument(
          options_.noise.empty()
              ? "the run was started with other background noise; give the same with --noise"
              : fmt::format("{}: is other background noise than the run was started with",
                            options_.noise.string()));
    }
    BITTERN_RETURN_IF_ERROR(restore(checkpoint->tensors, all_tensors()));
    position_ = checkpoint->position;
    if (position_.loss_sums.size() != exits()) return corrupt("checkpoint: has another number of exits");
    return folder_.truncate_metrics(position_.metrics_bytes);
  }

  std::vector<Parameter> all_parameters() const {
    std::vector<Parameter> parameters = network_.parameters();
    for (Parameter& parameter : loss_.parameters()) parameters.push_back(std::move(parameter));
    return parameters;
  }

  // Whether kernels are real in this epoch.
  bool in_first_stage() const { return position_.epoch < recipe_.float_epochs; }

  std::vector<NamedTensor> all_tensors() const {
    std::vector<NamedTensor> tensors = network_.state();
    for (const Parameter& parameter : loss_.parameters())
      tensors.push_back({parameter.name, parameter.value});
    tensors.insert(tensors.end(), average_.state().begin(), average_.state().end());
    tensors.insert(tensors.end(), optimizer_.state().begin(), optimizer_.state().end());
    return tensors;
  }

  Status save() const {
    return save_checkpoint(
        {position_, to_json(recipe_).dump(), data_.clips_digest, data_.noise_digest, all_tensors()},
        folder_.checkpoint());
  }

  Status run_epoch(BatchSource& source) {
    const auto start = std::chrono::steady_clock::now();
    const int first_batch = position_.batch;
    if (recipe_.float_epochs > 0 && !in_first_stage()) {
      network_.binarise();
      optimizer_.begin_binary_stage(position_.epoch == recipe_.float_epochs && first_batch == 0);
    }
    while (position_.batch < plan_.batches()) {
      BITTERN_RETURN_IF_ERROR(run_step(source.next()));
      const bool stop = observer_.stop();
      const bool last = position_.batch == plan_.batches();
      if (stop || (!last && position_.batch % options_.checkpoint_every == 0))
        BITTERN_RETURN_IF_ERROR(save());
      if (stop) {
        return Error{ErrorCode::kCancelled,
                     fmt::format("interrupted in epoch {}; go on with --resume", position_.epoch + 1)};
      }
    }
    EpochReport report;
    const double train_s = seconds_since(start);
    report.samples_per_s = (plan_.batches() - first_batch) * plan_.size() / train_s;
    report.learning_rate = optimizer_.learning_rate(position_.step - 1);
    for (std::size_t i = 0; i < exits(); ++i) {
      report.exit_losses.push_back(position_.loss_sums[i] / plan_.batches());
      report.loss += loss_.weights()[i] * report.exit_losses.back();
    }
    if (loss_.learned()) report.learned_weights = loss_.weights();
    report.real_kernels = in_first_stage();
    report.epoch = position_.epoch + 1;
    {
      const WeightAverage::Use use(average_);
      report.accuracy = validate();
    }
    return finish_epoch(std::move(report), start);
  }

  Status run_step(const Batch& batch) {
    const std::vector<at::Tensor> logits =
        network_.train(tensor_of(batch.features, 0, batch.clips()), position_.step);
    const ExitLoss::Value loss = loss_(logits, targets_of(batch));
    for (std::size_t i = 0; i < exits(); ++i) position_.loss_sums[i] += loss.exits[i];
    if (!std::isfinite(loss.sum)) {
      return invalid_argument(
          fmt::format("the loss is not a finite number at step {} of epoch {}: lower --learning-rate",
                      position_.batch + 1, position_.epoch + 1));
    }
    loss.total.backward();
    optimizer_.step(position_.step);
    average_.update(position_.step);
    ++position_.step;
    ++position_.batch;
    const auto steps = static_cast<std::size_t>(plan_.batches()) * static_cast<std::size_t>(recipe_.epochs);
    const auto size = static_cast<std::size_t>(plan_.size());
    observer_.stepped(position_.epoch + 1, static_cast<std::size_t>(position_.step) * size, steps * size,
                      loss.sum);
    return {};
  }

  // Writes, in this order, what a kill at any moment may leave: a better model, the line of metrics, and the
  // checkpoint that makes both count. A resumed run writes the same again.
  Status finish_epoch(EpochReport report, std::chrono::steady_clock::time_point start) {
    double mean = 0;
    for (const evaluation::Proportion& accuracy : report.accuracy)
      mean += accuracy.value / static_cast<double>(exits());
    report.best = !report.real_kernels && mean > position_.best_accuracy;
    ++position_.epoch;
    position_.batch = 0;
    position_.loss_sums.assign(exits(), 0.0);
    if (report.best) {
      position_.best_accuracy = mean;
      position_.best_epoch = position_.epoch;
      const WeightAverage::Use use(average_);
      BITTERN_RETURN_IF_ERROR(save_best(report));
    }
    report.time_s = seconds_since(start);
    BITTERN_ASSIGN_OR_RETURN(position_.metrics_bytes, folder_.append_metrics(metrics_line(report)));
    BITTERN_RETURN_IF_ERROR(save());
    observer_.finished_epoch(report);
    return {};
  }

  std::vector<evaluation::Proportion> validate() const {
    const int clips = data_.validation.size();
    std::vector<std::size_t> right(exits());
    for (int first = 0; first < clips; first += kEvaluationBatch) {
      const int count = std::min(kEvaluationBatch, clips - first);
      const std::vector<at::Tensor> logits = network_.evaluate(tensor_of(validation_features_, first, count));
      for (std::size_t exit = 0; exit < exits(); ++exit) {
        const at::Tensor answers = logits[exit].argmax(1).cpu();
        for (int i = 0; i < count; ++i)
          right[exit] += answers.data_ptr<std::int64_t>()[i] == data_.validation.label(first + i) ? 1U : 0U;
      }
    }
    std::vector<evaluation::Proportion> result;
    result.reserve(right.size());
    for (const std::size_t count : right)
      result.push_back(evaluation::wilson(count, static_cast<std::size_t>(clips)));
    return result;
  }

  Status save_best(const EpochReport& report) const {
    model::Provenance provenance;
    provenance.architecture = recipe_.architecture;
    provenance.placement = recipe_.placement;
    provenance.data_name = data_.name;
    provenance.data_digest = data_.digest;
    provenance.recipe = to_json(recipe_).dump();
    nlohmann::ordered_json metrics = {
        {"split", "validation"}, {"epoch", report.epoch}, {"exits", nlohmann::ordered_json::array()}};
    metrics["read"] = {{"train_clips", data_.train.size()},
                       {"validation_clips", data_.validation.size()},
                       {"noise_recordings", data_.noise.size()},
                       {"skipped", data_.skipped}};
    for (std::size_t i = 0; i < exits(); ++i)
      metrics["exits"].push_back({{"exit", i + 1}, {"accuracy", evaluation::to_json(report.accuracy[i])}});
    provenance.metrics = metrics.dump();
    provenance.tool_version = BITTERN_VERSION;
    provenance.license = options_.license;
    provenance.seed = recipe_.seed;
    BITTERN_ASSIGN_OR_RETURN(provenance.date, source_date());
    BITTERN_ASSIGN_OR_RETURN(const auto model,
                             export_model(network_, front_end_, data_.labels, std::move(provenance)));
    return model::save(*model, folder_.best());
  }

  // Clips [first, first + count) of `features` as [count, frames, bins]; shares the memory.
  at::Tensor tensor_of(const std::vector<float>& features, int first, int count) const {
    const std::int64_t frames = front_end_.clip_frames();
    const std::int64_t bins = front_end_.mel_bins;
    return at::from_blob(const_cast<float*>(features.data()) + first * frames * bins, {count, frames, bins});
  }

  // Shares the batch's memory.
  static Targets targets_of(const Batch& batch) {
    const auto whole = at::TensorOptions().dtype(at::kLong);
    const auto wrap = [&](const auto& values, const at::TensorOptions& options) {
      if (values.empty()) return at::Tensor();
      return at::from_blob(const_cast<void*>(static_cast<const void*>(values.data())), {batch.clips()},
                           options);
    };
    return {wrap(batch.labels, whole), wrap(batch.other_labels, whole), wrap(batch.shares, at::kFloat)};
  }

  const TrainOptions& options_;
  const Recipe& recipe_;
  TrainObserver& observer_;
  RunFolder folder_;
  features::LogMelSpec front_end_;
  TrainingData data_;
  TrainableNetwork network_;
  BatchPlan plan_;
  ExitLoss loss_;
  Optimizer optimizer_;
  WeightAverage average_;
  std::vector<float> validation_features_;
  TrainingPosition position_;
};

// A resumed run is the same run: whatever decides its outcome must be as it was.
Status check_same_recipe(const RunFolder& folder, const Recipe& given) {
  BITTERN_ASSIGN_OR_RETURN(const Recipe stored, folder.read_recipe());
  const std::vector<std::string> different = differences(stored, given);
  if (different.empty()) return {};
  return invalid_argument(fmt::format("{}: the run was started with {}; resume it with the same options",
                                      folder.root.string(), fmt::join(different, ", ")));
}

// kAuto becomes what the run that goes on was started with, or the best for this machine.
Expected<Precision> settle_precision(const TrainOptions& options) {
  const RunFolder folder{options.out};
  const bool cpu = options.recipe.device == "cpu";
  std::error_code ignored;
  Precision precision = options.recipe.precision;
  if (precision == Precision::kAuto && options.start == StartMode::kResume &&
      std::filesystem::exists(folder.recipe(), ignored)) {
    BITTERN_ASSIGN_OR_RETURN(const Recipe stored, folder.read_recipe());
    precision = stored.precision;
  }
  if (precision == Precision::kAuto) return cpu && has_bf16() ? Precision::kBf16 : Precision::kFp32;
  if (precision == Precision::kBf16 && !cpu)
    return unsupported("--precision bf16: trains on the CPU only; use fp32 with --device cuda");
  if (precision == Precision::kBf16 && !has_bf16())
    return unsupported("--precision bf16: this processor has no instructions for it; use fp32");
  return precision;
}

Status train_checked(TrainOptions options, TrainObserver& observer) {
  BITTERN_RETURN_IF_ERROR(check(options.recipe));
  BITTERN_ASSIGN_OR_RETURN(options.recipe.precision, settle_precision(options));
  if (options.recipe.device == "cuda") {
    if (!at::hasCUDA())
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
  // Before minutes of decoding: may this run work in its folder?
  const RunFolder folder{options.out};
  BITTERN_ASSIGN_OR_RETURN(const FolderLock lock, folder.prepare(options.start));
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

  const auto progress = [&](std::size_t done, std::size_t total) {
    observer.loading(done, total);
    return !observer.stop();
  };
  BITTERN_ASSIGN_OR_RETURN(TrainingData data, load_training_data(source, front_end.sample_rate, progress));
  for (const std::string& line : data.notices) observer.notice(line);
  observer.loaded(data.train.size() + data.validation.size(), data.skipped);
  if (options.start == StartMode::kOverwrite) {  // not before the new training has its data
    BITTERN_RETURN_IF_ERROR(folder.clear());
    BITTERN_RETURN_IF_ERROR(folder.write_recipe(options.recipe));
  }
  if (data.noise.empty() && options.recipe.augment.noise_probability > 0)
    observer.notice("no background noise: the data set brings none and --noise was not given");

  set_threads(options.recipe.threads);
  keep_freed_memory();
  const at::Device device(options.recipe.device == "cuda" ? at::kCUDA : at::kCPU);
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
  return Training(options, observer, std::move(data), std::move(trainable)).run();
}

}  // namespace

Status train(const TrainOptions& options, TrainObserver& observer) {
  try {
    return train_checked(options, observer);
  } catch (const c10::Error& error) {
    return Error{ErrorCode::kInternal, fmt::format("libtorch: {}", error.what_without_backtrace())};
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::kOutOfMemory, "out of memory while training: lower --batch"};
  }
}

}  // namespace bittern::training
