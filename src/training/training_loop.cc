#include "training/training_loop.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/text.h"
#include "training/best_model.h"
#include "training/replicas.h"
#include "training/torch.h"

namespace bittern::training {
namespace {

constexpr int kEvaluationBatch = 128;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::vector<Parameter> all_parameters(const TrainableNetwork& network, const ExitLoss& loss) {
  std::vector<Parameter> parameters = network.parameters();
  for (Parameter& parameter : loss.parameters()) parameters.push_back(std::move(parameter));
  return parameters;
}

// Shares the batch's memory.
Targets targets_of(const Batch& batch) {
  const auto whole = at::TensorOptions().dtype(at::kLong);
  const auto wrap = [&](const auto& values, const at::TensorOptions& options) {
    if (values.empty()) return at::Tensor();
    return at::from_blob(const_cast<void*>(static_cast<const void*>(values.data())),
                         {static_cast<std::int64_t>(values.size())}, options);
  };
  Targets targets{wrap(batch.labels, whole), wrap(batch.other_labels, whole), wrap(batch.shares, at::kFloat)};
  if (!batch.teacher.empty()) targets.teacher = wrap(batch.teacher, at::kFloat).view({batch.clips(), -1});
  return targets;
}

}  // namespace

TrainingLoop::TrainingLoop(const TrainOptions& options, ProcessGroup& group, TrainObserver& observer,
                           TrainingData data, Teachers teachers, TrainableNetwork network)
    : options_(options),
      recipe_(options.recipe),
      group_(group),
      observer_(observer),
      folder_{options.out},
      data_(std::move(data)),
      license_(options.license),
      teachers_(std::move(teachers)),
      network_(std::move(network)),
      plan_{data_.train.size(), recipe_.batch},
      loss_(recipe_, network_.network().exit_count(), network_.parameters().front().value.device()),
      parameters_(all_parameters(network_, loss_)),
      optimizer_(parameters_, recipe_, std::int64_t{plan_.batches()} * recipe_.epochs),
      average_(network_.parameters(), recipe_.average_decay) {
  position_.loss_sums.assign(exits(), 0.0);
}

Status TrainingLoop::run() {
  if (plan_.size() < kLeastBatch * group_.size()) {
    return invalid_argument(fmt::format("a batch of {} clips over {} processes: each needs {} or more",
                                        plan_.size(), group_.size(), kLeastBatch));
  }
  if (group_.is_first() && options_.start == StartMode::kResume) BITTERN_RETURN_IF_ERROR(resume());
  BITTERN_RETURN_IF_ERROR(share_start());
  if (position_.epoch == recipe_.epochs) {
    observer_.notice(fmt::format("nothing to train: {} of {} done already", position_.epoch,
                                 counted(recipe_.epochs, "epoch")));
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
  settings.rank = group_.rank();
  settings.ranks = group_.size();
  BITTERN_ASSIGN_OR_RETURN(const std::unique_ptr<BatchSource> source,
                           BatchSource::create(data_.train, data_.noise, settings, std::move(teachers_)));
  while (position_.epoch < recipe_.epochs) BITTERN_RETURN_IF_ERROR(run_epoch(*source));
  return {};
}

Status TrainingLoop::resume() {
  const Expected<Checkpoint> checkpoint = load_checkpoint(folder_.checkpoint());
  if (!checkpoint.ok()) {
    if (checkpoint.error().code != ErrorCode::kNotFound) return checkpoint.error();
    observer_.notice(fmt::format("{}: no checkpoint yet, starting at the first step", folder_.root.string()));
    return folder_.start_over();
  }
  if (checkpoint->recipe != to_json(recipe_).dump()) {
    return invalid_argument(
        fmt::format("{}: is not the recipe that the run was started with; start anew with --overwrite",
                    folder_.recipe().string()));
  }
  if (checkpoint->clips_digest != data_.clips_digest) {
    return invalid_argument(
        fmt::format("{}: gives other clips than the run was started with{}; restore them, or start anew with "
                    "--overwrite",
                    options_.data.string(),
                    data_.skipped == 0 ? "" : fmt::format(" ({} cannot be read now)", data_.skipped)));
  }
  if (checkpoint->noise_digest != data_.noise_digest) {
    return invalid_argument(
        options_.noise.empty()
            ? "the run was started with other background noise; give the same with --noise"
            : fmt::format("{}: is other background noise than the run was started with; give "
                          "the same, or start anew with --overwrite",
                          options_.noise.string()));
  }
  if (checkpoint->origin) BITTERN_RETURN_IF_ERROR(take_origin(*checkpoint->origin));
  BITTERN_RETURN_IF_ERROR(restore(checkpoint->tensors, all_tensors()));
  position_ = checkpoint->position;
  if (position_.loss_sums.size() != exits()) return corrupt("checkpoint: has another number of exits");
  return folder_.truncate_metrics(position_.metrics_bytes);
}

// The clips are the same: that their folder has another name by now, or a test split, is not the model's
// affair. A licence that is given is.
Status TrainingLoop::take_origin(const Origin& origin) {
  if (!license_.empty() && license_ != origin.license) {
    return invalid_argument(
        origin.license.empty()
            ? fmt::format("{}: the run was started without --license; leave it out", folder_.root.string())
            : fmt::format("{}: the run was started with --license '{}'; give the same or none",
                          folder_.root.string(), origin.license));
  }
  license_ = origin.license;
  data_.name = origin.data_name;
  data_.digest = origin.data_digest;
  data_.skipped = origin.skipped;
  return {};
}

// All start where rank 0 does, with its tensors.
Status TrainingLoop::share_start() {
  BITTERN_ASSIGN_OR_RETURN(const std::string position, group_.from_first(to_text(position_)));
  BITTERN_ASSIGN_OR_RETURN(position_, position_from_text(position));
  std::vector<at::Tensor> tensors;
  for (const NamedTensor& tensor : all_tensors()) tensors.push_back(tensor.value);
  return group_.broadcast(tensors);
}

std::vector<NamedTensor> TrainingLoop::all_tensors() const {
  std::vector<NamedTensor> tensors = network_.state();
  for (const Parameter& parameter : loss_.parameters()) tensors.push_back({parameter.name, parameter.value});
  tensors.insert(tensors.end(), average_.state().begin(), average_.state().end());
  tensors.insert(tensors.end(), optimizer_.state().begin(), optimizer_.state().end());
  return tensors;
}

Status TrainingLoop::save() const {
  if (!group_.is_first()) return {};
  return save_checkpoint({position_, to_json(recipe_).dump(), data_.clips_digest, data_.noise_digest,
                          Origin{license_, data_.name, data_.digest, data_.skipped}, all_tensors()},
                         folder_.checkpoint());
}

Status TrainingLoop::run_epoch(BatchSource& source) {
  const auto start = std::chrono::steady_clock::now();
  const int first_batch = position_.batch;
  if (recipe_.float_epochs > 0 && !in_first_stage()) {
    network_.binarise();
    optimizer_.begin_binary_stage(position_.epoch == recipe_.float_epochs && first_batch == 0);
  }
  while (position_.batch < plan_.batches()) {
    BITTERN_ASSIGN_OR_RETURN(const Batch batch, source.next());
    BITTERN_RETURN_IF_ERROR(run_step(batch));
    BITTERN_ASSIGN_OR_RETURN(const bool stop, group_.any(observer_.stop()));
    const bool last = position_.batch == plan_.batches();
    if (stop || (!last && position_.batch % options_.checkpoint_every == 0)) BITTERN_RETURN_IF_ERROR(save());
    if (stop) {
      return Error{ErrorCode::kCancelled,
                   fmt::format("interrupted in epoch {}; go on with --resume", position_.epoch + 1)};
    }
  }
  BITTERN_RETURN_IF_ERROR(expect_same(
      group_, digest_of(all_tensors()),
      fmt::format(" of {}: other weights than those of rank 0 after epoch {}; processors that compute "
                  "differently cannot train together: go on with --resume on machines of one kind",
                  group_.size(), position_.epoch + 1)));
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
    BITTERN_RETURN_IF_ERROR(check_finite());
    BITTERN_ASSIGN_OR_RETURN(report.accuracy, validate());
  }
  return finish_epoch(std::move(report), start);
}

// The last step of an epoch has no loss after it that would tell.
Status TrainingLoop::check_finite() const {
  for (const NamedTensor& one : all_tensors())
    if (one.value.is_floating_point() && !one.value.isfinite().all().item<bool>())
      return invalid_argument(
          fmt::format("'{}' holds a number that is not finite after epoch {}: lower --learning-rate",
                      one.name, position_.epoch + 1));
  return {};
}

Status TrainingLoop::run_step(const Batch& batch) {
  const std::vector<at::Tensor> logits =
      network_.train(tensor_of(batch.features, 0, batch.clips()), position_.step);
  const ExitLoss::Value loss = loss_(logits, targets_of(batch));
  loss.total.backward();
  std::vector<double> losses = loss.exits;
  losses.push_back(loss.sum);
  BITTERN_RETURN_IF_ERROR(average_step(group_, parameters_, network_.moving_averages(), losses,
                                       static_cast<double>(batch.clips()) / plan_.size()));
  for (std::size_t i = 0; i < exits(); ++i) position_.loss_sums[i] += losses[i];
  if (!std::isfinite(losses.back())) {
    return invalid_argument(
        fmt::format("the loss is not a finite number at step {} of epoch {}: lower --learning-rate",
                    position_.batch + 1, position_.epoch + 1));
  }
  optimizer_.step(position_.step);
  average_.update(position_.step);
  ++position_.step;
  ++position_.batch;
  const auto steps = static_cast<std::size_t>(plan_.batches()) * static_cast<std::size_t>(recipe_.epochs);
  const auto size = static_cast<std::size_t>(plan_.size());
  observer_.stepped(position_.epoch + 1, static_cast<std::size_t>(position_.step) * size, steps * size,
                    losses.back());
  return {};
}

Status TrainingLoop::finish_epoch(EpochReport report, std::chrono::steady_clock::time_point start) {
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
  }
  if (group_.is_first()) BITTERN_RETURN_IF_ERROR(write_epoch(report, start));
  observer_.finished_epoch(report);
  return {};
}

// Writes, in this order, what a kill at any moment may leave: a better model, the line of metrics, and the
// checkpoint that makes both count. A resumed run writes the same again.
Status TrainingLoop::write_epoch(EpochReport& report, std::chrono::steady_clock::time_point start) {
  if (report.best) {
    const WeightAverage::Use use(average_);
    BITTERN_RETURN_IF_ERROR(
        save_best_model(network_, front_end_, {recipe_, data_, report, license_}, folder_.best()));
  }
  report.time_s = seconds_since(start);
  BITTERN_ASSIGN_OR_RETURN(position_.metrics_bytes, folder_.append_metrics(metrics_line(report)));
  return save();
}

// Each rank takes its share of the batches.
Expected<std::vector<evaluation::Proportion>> TrainingLoop::validate() {
  const int clips = data_.validation.size();
  std::vector<std::int64_t> right(exits());
  for (int first = group_.rank() * kEvaluationBatch; first < clips;
       first += group_.size() * kEvaluationBatch) {
    const int count = std::min(kEvaluationBatch, clips - first);
    const std::vector<at::Tensor> logits = network_.evaluate(tensor_of(validation_features_, first, count));
    for (std::size_t exit = 0; exit < exits(); ++exit) {
      const at::Tensor answers = logits[exit].argmax(1).cpu();
      for (int i = 0; i < count; ++i)
        right[exit] += answers.data_ptr<std::int64_t>()[i] == data_.validation.label(first + i) ? 1 : 0;
    }
  }
  BITTERN_RETURN_IF_ERROR(group_.sum(right));
  std::vector<evaluation::Proportion> result;
  result.reserve(right.size());
  for (const std::int64_t count : right)
    result.push_back(evaluation::wilson(static_cast<std::size_t>(count), static_cast<std::size_t>(clips)));
  return result;
}

// Clips [first, first + count) of `features` as [count, frames, bins]; shares the memory.
at::Tensor TrainingLoop::tensor_of(const std::vector<float>& features, int first, int count) const {
  const std::int64_t frames = front_end_.clip_frames();
  const std::int64_t bins = front_end_.mel_bins;
  return at::from_blob(const_cast<float*>(features.data()) + first * frames * bins, {count, frames, bins});
}

}  // namespace bittern::training
