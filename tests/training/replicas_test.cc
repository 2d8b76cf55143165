// Processes that train one network hold one network.
#include "training/replicas.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "core/random.h"
#include "model/random_model.h"
#include "training/loss.h"
#include "training/optimizer.h"
#include "training/ranks.h"

namespace bittern::training {
namespace {

constexpr int kClasses = 4;
constexpr int kSteps = 6;

// Clips of step `step`; the slice [first, first + count) of them.
at::Tensor features(const graph::Network& network, int step, int first, int count) {
  const graph::Shape& shape = network.input_shape();
  const std::int64_t per_clip = std::int64_t{shape.time} * shape.frequency;
  at::Tensor all = at::empty({count, shape.time, shape.frequency});
  for (int clip = 0; clip < count; ++clip) {
    Random random{static_cast<std::uint64_t>(step), static_cast<std::uint64_t>(first + clip)};
    for (std::int64_t i = 0; i < per_clip; ++i)
      all.data_ptr<float>()[clip * per_clip + i] = random.uniform(-2, 2);
  }
  return all;
}

// A small network, trained on a slice of every batch.
class Replica {
 public:
  Replica(BinaryOptimizer optimizer, ExitWeighting weighting)
      : recipe_(recipe_of(optimizer, weighting)),
        network_(TrainableNetwork::create(model::tiny_network(kClasses), optimizer, 5).value()),
        loss_(recipe_, network_.network().exit_count(), at::kCPU),
        parameters_(network_.parameters()) {
    for (const Parameter& parameter : loss_.parameters()) parameters_.push_back(parameter);
    optimizer_ = std::make_unique<Optimizer>(parameters_, recipe_, kSteps);
  }

  // Gradients of one step, averaged over the group.
  void differentiate(ProcessGroup& group, int step, int first, int count, double share) {
    std::vector<std::int64_t> labels;
    for (int clip = first; clip < first + count; ++clip) labels.push_back(clip % kClasses);
    const Targets targets{at::tensor(labels), {}, {}};
    const ExitLoss::Value loss =
        loss_(network_.train(features(network_.network(), step, first, count), step), targets);
    loss.total.backward();
    losses_ = loss.exits;
    EXPECT_TRUE(average_step(group, parameters_, network_.moving_averages(), losses_, share).ok());
  }
  void step(int step) { optimizer_->step(step); }

  std::vector<NamedTensor> state() const {
    std::vector<NamedTensor> tensors = network_.state();
    tensors.insert(tensors.end(), optimizer_->state().begin(), optimizer_->state().end());
    for (const Parameter& parameter : loss_.parameters())
      tensors.push_back({parameter.name, parameter.value});
    return tensors;
  }
  const std::vector<Parameter>& parameters() const { return parameters_; }
  const TrainableNetwork& network() const { return network_; }
  const std::vector<double>& losses() const { return losses_; }

 private:
  static Recipe recipe_of(BinaryOptimizer optimizer, ExitWeighting weighting) {
    Recipe recipe;
    recipe.epochs = 1;
    recipe.binary_optimizer = optimizer;
    recipe.bop_gamma = 0.1;
    recipe.learning_rate = 0.1;
    recipe.loss.weighting = weighting;
    return recipe;
  }
  Recipe recipe_;
  TrainableNetwork network_;
  ExitLoss loss_;
  std::vector<Parameter> parameters_;
  std::unique_ptr<Optimizer> optimizer_;
  std::vector<double> losses_;
};

// The bits of 1-bit kernels that differ.
std::int64_t flips(const std::vector<Parameter>& before, const std::vector<Parameter>& after) {
  std::int64_t count = 0;
  for (std::size_t i = 0; i < before.size(); ++i)
    if (before[i].binary)
      count += before[i].value.sign().ne(after[i].value.sign()).sum().item<std::int64_t>();
  return count;
}

TEST(Replicas, FlipTheSameBitsOnEveryRank) {
  for (const int size : {2, 4}) {
    for (const BinaryOptimizer optimizer : {BinaryOptimizer::kBop, BinaryOptimizer::kAdam}) {
      std::vector<std::unique_ptr<Replica>> replicas(static_cast<std::size_t>(size));
      as_ranks(size, [&](ProcessGroup& group) {
        auto replica = std::make_unique<Replica>(optimizer, ExitWeighting::kLearned);
        // Slices of 2, 3, 4 and 5 clips.
        const int total = size * 2 + size * (size - 1) / 2;
        const int count = 2 + group.rank();
        const int first = group.rank() * 2 + group.rank() * (group.rank() - 1) / 2;
        for (int step = 0; step < kSteps; ++step) {
          replica->differentiate(group, step, first, count, static_cast<double>(count) / total);
          replica->step(step);
        }
        EXPECT_TRUE(expect_same(group, digest_of(replica->state()), ": other weights").ok());
        replicas[static_cast<std::size_t>(group.rank())] = std::move(replica);
        EXPECT_TRUE(group.finish().ok());
      });
      const std::vector<NamedTensor> first = replicas[0]->state();
      for (const auto& replica : replicas) {
        const std::vector<NamedTensor> state = replica->state();
        for (std::size_t i = 0; i < first.size(); ++i)
          EXPECT_TRUE(at::equal(state[i].value, first[i].value)) << first[i].name;
      }
      // They did flip, and each slice alone would have flipped others.
      const Replica fresh(optimizer, ExitWeighting::kLearned);
      EXPECT_GT(flips(fresh.parameters(), replicas[0]->parameters()), 20);
      Replica lonely(optimizer, ExitWeighting::kLearned);
      ProcessGroup alone;
      for (int step = 0; step < kSteps; ++step) {
        lonely.differentiate(alone, step, 0, 2, 1);
        lonely.step(step);
      }
      EXPECT_GT(flips(lonely.parameters(), replicas[0]->parameters()), 20);
      EXPECT_NE(digest_of(lonely.state()), digest_of(first));
    }
  }
}

// Against each slice's own, weighted by hand.
TEST(Replicas, AverageGradientsLossesAndMovingAverages) {
  std::vector<std::unique_ptr<Replica>> own;
  ProcessGroup alone;
  for (const int rank : {0, 1}) {
    own.push_back(std::make_unique<Replica>(BinaryOptimizer::kBop, ExitWeighting::kFixed));
    own.back()->differentiate(alone, 0, rank * 2, 2 + rank, 1);
  }
  as_ranks(2, [&](ProcessGroup& group) {
    Replica replica(BinaryOptimizer::kBop, ExitWeighting::kFixed);
    replica.differentiate(group, 0, group.rank() * 2, 2 + group.rank(), (2 + group.rank()) / 5.0);
    const auto expect = [&](const at::Tensor& found, const at::Tensor& a, const at::Tensor& b) {
      EXPECT_TRUE(at::allclose(found, a * 0.4 + b * 0.6, 1e-5, 1e-7));
    };
    for (std::size_t i = 0; i < replica.parameters().size(); ++i)
      expect(replica.parameters()[i].value.grad(), own[0]->parameters()[i].value.grad(),
             own[1]->parameters()[i].value.grad());
    for (std::size_t i = 0; i < replica.network().moving_averages().size(); ++i)
      expect(replica.network().moving_averages()[i], own[0]->network().moving_averages()[i],
             own[1]->network().moving_averages()[i]);
    for (std::size_t i = 0; i < replica.losses().size(); ++i)
      EXPECT_NEAR(replica.losses()[i], 0.4 * own[0]->losses()[i] + 0.6 * own[1]->losses()[i], 1e-5);
    EXPECT_TRUE(group.finish().ok());
  });
}

TEST(Replicas, ThatDifferAreNamed) {
  as_ranks(4, [](ProcessGroup& group) {
    const Replica replica(BinaryOptimizer::kBop, ExitWeighting::kFixed);
    if (group.rank() % 2 == 1) {  // one bit of one weight
      at::Tensor kernel = replica.parameters()[0].value.detach();
      kernel.view(-1)[0].neg_();
    }
    const Status same = expect_same(group, digest_of(replica.state()), ": other weights");
    ASSERT_FALSE(same.ok());
    EXPECT_EQ(same.error().message, "ranks 1, 3: other weights");
    EXPECT_TRUE(group.finish().ok());
  });
}

}  // namespace
}  // namespace bittern::training
