#include "training/loss.h"

#include <cmath>
#include <cstddef>
#include <limits>

#include "training/torch.h"

namespace bittern::training {
namespace {

std::vector<double> fixed_weights(const Recipe& recipe, std::size_t exits) {
  if (!recipe.exit_weights.empty()) return recipe.exit_weights;
  std::vector<double> weights(exits, 1.0);
  if (recipe.loss.weighting == ExitWeighting::kLinear)
    for (std::size_t k = 0; k < exits; ++k)
      weights[k] = 2.0 * static_cast<double>(k + 1) / static_cast<double>(exits + 1);
  return weights;
}

// The distribution over classes that each clip should get, [clips, classes].
at::Tensor distribution(const Targets& targets, const at::Tensor& logits, double smoothing) {
  const std::int64_t classes = logits.size(1);
  const auto one_hot = [&](const at::Tensor& labels) {
    return at::one_hot(labels.to(logits.device()), classes).to(logits.scalar_type());
  };
  at::Tensor result = one_hot(targets.labels);
  if (targets.others.defined()) {
    const at::Tensor share = targets.shares.to(logits.device()).unsqueeze(1);
    result = result * share + one_hot(targets.others) * (1 - share);
  }
  return result * (1 - smoothing) + smoothing / static_cast<double>(classes);
}

// What exits are to say at the temperature.
struct Lecture {
  at::Tensor distribution;
  at::Tensor logarithm;
};

Lecture of_teachers(const at::Tensor& teacher) {
  // Of a share that is 0 the logarithm is finite, so that their product is 0.
  return {teacher, teacher.clamp_min(std::numeric_limits<float>::min()).log()};
}

Lecture of_exit(const at::Tensor& logits, double temperature) {
  const at::Tensor logarithm = at::log_softmax(logits.detach() / temperature, 1);
  return {logarithm.exp(), logarithm};
}

// T^2 KL(teacher || student): T^2 keeps the gradient's size whatever the temperature.
at::Tensor divergence(const Lecture& teacher, const at::Tensor& student, double temperature) {
  const at::Tensor given = at::log_softmax(student / temperature, 1);
  return (teacher.distribution * (teacher.logarithm - given)).sum(1).mean() * (temperature * temperature);
}

}  // namespace

ExitLoss::ExitLoss(const Recipe& recipe, int exits, at::Device device)
    : settings_(recipe.loss), fixed_(fixed_weights(recipe, static_cast<std::size_t>(exits))) {
  if (settings_.weighting == ExitWeighting::kLearned)
    log_variances_ = at::zeros({exits}, at::TensorOptions().device(device)).set_requires_grad(true);
}

ExitLoss::Value ExitLoss::operator()(const std::vector<at::Tensor>& logits, const Targets& targets) const {
  const bool soft = settings_.label_smoothing > 0 || targets.others.defined();
  const at::Tensor wanted = soft ? distribution(targets, logits.front(), settings_.label_smoothing)
                                 : targets.labels.to(logits.front().device());
  const bool teachers = targets.teacher.defined();
  const Lecture taught = teachers ? of_teachers(targets.teacher.to(logits.back().device())) : Lecture{};
  const Lecture last = of_exit(logits.back(), settings_.temperature);
  const std::vector<double> weights = this->weights();
  Value result;
  for (std::size_t k = 0; k < logits.size(); ++k) {
    at::Tensor loss = soft ? -(wanted * at::log_softmax(logits[k], 1)).sum(1).mean()
                           : at::cross_entropy_loss(logits[k], wanted);
    const bool is_last = k + 1 == logits.size();
    const bool from_teachers = teachers && (is_last || settings_.taught == TaughtExits::kAll);
    // The last exit does not learn from itself.
    if (settings_.distillation > 0 && (from_teachers || !is_last)) {
      const Lecture& lecture = from_teachers ? taught : last;
      loss = loss * (1 - settings_.distillation) +
             divergence(lecture, logits[k], settings_.temperature) * settings_.distillation;
    }
    result.exits.push_back(loss.item<double>());
    result.sum += weights[k] * result.exits.back();
    const at::Tensor weighted =
        learned() ? loss * (-log_variances_[static_cast<std::int64_t>(k)]).exp() : loss * weights[k];
    result.total = result.total.defined() ? result.total + weighted : weighted;
  }
  if (learned()) {
    const at::Tensor rest = log_variances_.sum() / 2;
    result.sum += rest.item<double>();
    result.total = result.total + rest;
  }
  return result;
}

std::vector<double> ExitLoss::weights() const {
  if (!learned()) return fixed_;
  const at::NoGradGuard no_grad;
  const at::Tensor values = (-log_variances_.to(at::kDouble)).exp().cpu();
  return {values.data_ptr<double>(), values.data_ptr<double>() + values.numel()};
}

std::vector<Parameter> ExitLoss::parameters() const {
  if (!learned()) return {};
  return {{.name = "loss.log_variances", .value = log_variances_}};
}

}  // namespace bittern::training
