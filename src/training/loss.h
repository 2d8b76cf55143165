// The loss that a training step lowers: one of each exit, added up.
//
//   exit k:  L_k = (1 - d) CE(t, p_k) + d T^2 KL(q_n(T) || q_k(T)),  k < n;   L_n = CE(t, p_n)
//   taught:  L_k = (1 - d) CE(t, p_k) + d T^2 KL(q(T) || q_k(T)),    k = 1..n, or k = n only
//   fixed, linear:  sum of w_k L_k
//   learned:        sum of exp(-s_k) L_k + s_k / 2
//
// p = softmax(logits), q(T) = softmax(logits / T); t = (1 - e) * label + e / classes (label smoothing e),
// where mixup makes `label` a mix of two. Every term is a mean over clips. The teacher q_n is the last exit,
// without a gradient (Hinton and others 2015; among exits Phuong and Lampert 2019). A training with teachers
// (teachers.h) has q = the mean of their last exits' softmax(logits / T) in its place, from which every exit
// learns, the last and an only one too; or the last one alone, from which the earlier ones go on learning:
// teachers know more than a small first exit can take in. s_k = log(variance) are learned along with the
// network (Kendall, Gal and Cipolla 2018, homoscedastic uncertainty): they start at 0, weights of 1, and pull
// each weight towards 1 / (2 L_k). Weights that only add up to a constant would leave all to the exit with
// the least loss.
#pragma once

#include <ATen/core/Tensor.h>

#include <vector>

#include "training/modules.h"
#include "training/recipe.h"

namespace bittern::training {

// What a batch should be answered with.
struct Targets {
  at::Tensor labels;        // [clips], int64
  at::Tensor others;        // the same; undefined without mixup
  at::Tensor shares;        // [clips]: of `labels`, the rest is of `others`
  at::Tensor teacher = {};  // [clips, classes]: q(T) of the teachers; undefined without any
};

class ExitLoss {
 public:
  // Learned weights lie on `device`, where the logits are.
  ExitLoss(const Recipe& recipe, int exits, at::Device device);

  struct Value {
    at::Tensor total;           // to go backward from
    double sum = 0;             // its value
    std::vector<double> exits;  // each L_k
  };
  // logits: of each exit, [clips, classes].
  Value operator()(const std::vector<at::Tensor>& logits, const Targets& targets) const;

  // w_k, or exp(-s_k) as they are now.
  std::vector<double> weights() const;
  bool learned() const { return log_variances_.defined(); }
  // What an optimiser must train along with the network: s, where it is learned.
  std::vector<Parameter> parameters() const;

 private:
  LossSettings settings_;
  std::vector<double> fixed_;
  at::Tensor log_variances_;  // [exits]; undefined where weights are not learned
};

}  // namespace bittern::training
