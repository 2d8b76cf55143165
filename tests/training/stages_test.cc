// Recipes with everything on: real kernels first, then 1-bit ones; averages; learned weights; early exits.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "audio/temp_folder.h"
#include "model/file.h"
#include "training/agreement.h"
#include "training/checkpoint.h"
#include "training/sounds.h"
#include "training/trainer.h"

namespace bittern::training {
namespace {

namespace fs = std::filesystem;

// Stops after so many steps.
class Stopping final : public TrainObserver {
 public:
  explicit Stopping(int steps) : left_(steps) {}
  void notice(const std::string&) override {}
  void loading(std::size_t, std::size_t) override {}
  void loaded(int, int) override {}
  void stepped(int, std::size_t, std::size_t, double) override { --left_; }
  void finished_epoch(const EpochReport&) override {}
  bool stop() override { return left_ <= 0; }

 private:
  int left_;
};

constexpr int kBatches = 2;  // of an epoch

Recipe everything() {
  Recipe recipe;
  recipe.architecture = "quicknet-small";
  recipe.placement = "stem,s1.b1";
  recipe.epochs = 4;
  recipe.batch = 4;
  recipe.warmup_epochs = 0.5;
  recipe.bop_warmup_epochs = 1;
  recipe.float_epochs = 2;
  recipe.average_decay = 0.9;
  recipe.loss.weighting = ExitWeighting::kLearned;
  recipe.loss.label_smoothing = 0.1;
  recipe.loss.distillation = 0.5;
  recipe.augment.mixup = 0.2;
  return recipe;
}

class Stages : public testing::Test {
 protected:
  Stages() { write_sounds(folder_ / "data", 2, 1); }
  TrainOptions options(const char* run, const Recipe& recipe) const {
    TrainOptions result;
    result.data = folder_ / "data";
    result.out = folder_ / run;
    result.recipe = recipe;
    return result;
  }
  std::vector<nlohmann::json> metrics(const char* run) const {
    std::vector<nlohmann::json> lines;
    std::ifstream file(RunFolder{folder_ / run}.metrics());
    for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
    for (nlohmann::json& line : lines) {
      line.erase("samples_per_s");
      line.erase("time_s");
    }
    return lines;
  }
  const test::TempFolder folder_;
};

TEST_F(Stages, ARunThatIsStoppedAfterAnyStepEndsAsAWholeOne) {
  for (const BinaryOptimizer optimizer : {BinaryOptimizer::kBop, BinaryOptimizer::kAdam}) {
    SCOPED_TRACE(optimizer == BinaryOptimizer::kBop ? "bop" : "adam");
    Recipe recipe = everything();
    recipe.binary_optimizer = optimizer;
    TrainOptions whole = options("whole", recipe);
    whole.start = StartMode::kOverwrite;
    Silent silent;
    const Status trained = train(whole, silent);
    ASSERT_TRUE(trained.ok()) << trained.error().message;

    TrainOptions broken = options("broken", recipe);
    broken.start = StartMode::kOverwrite;
    for (int step = 1; step < recipe.epochs * kBatches; ++step) {
      Stopping once(1);
      ASSERT_FALSE(train(broken, once).ok()) << step;
      broken.start = StartMode::kResume;
    }
    const Status resumed = train(broken, silent);
    ASSERT_TRUE(resumed.ok()) << resumed.error().message;
    EXPECT_EQ(test::read_bytes(RunFolder{broken.out}.best()), test::read_bytes(RunFolder{whole.out}.best()));
    EXPECT_EQ(metrics("broken"), metrics("whole"));

    // Every tensor of the last checkpoints too, and nothing stood still.
    const Checkpoint a = load_checkpoint(RunFolder{whole.out}.checkpoint()).value();
    const Checkpoint b = load_checkpoint(RunFolder{broken.out}.checkpoint()).value();
    ASSERT_EQ(a.tensors.size(), b.tensors.size());
    for (const NamedTensor& tensor : a.tensors) {
      const auto same = [&](const NamedTensor& other) { return other.name == tensor.name; };
      const auto found = std::find_if(b.tensors.begin(), b.tensors.end(), same);
      ASSERT_NE(found, b.tensors.end()) << tensor.name;
      EXPECT_TRUE(at::equal(tensor.value, found->value)) << tensor.name;
      if (tensor.name == "loss.log_variances") {
        EXPECT_NE(tensor.value.abs().min().item<float>(), 0);
      }
    }
  }
}

TEST_F(Stages, KernelsAreRealInTheFirstStageAndNoModelCountsBeforeTheSecond) {
  const Recipe recipe = everything();
  TrainOptions run = options("run", recipe);
  const auto kernel = [&] {
    const auto checkpoint = load_checkpoint(RunFolder{run.out}.checkpoint());
    for (const NamedTensor& tensor : checkpoint.value().tensors)
      if (tensor.name == "s1.b1.conv.kernel") return tensor.value.to(at::kFloat);
    return at::Tensor();
  };
  Stopping first_stage(recipe.float_epochs * kBatches - 1);
  EXPECT_FALSE(train(run, first_stage).ok());
  EXPECT_FALSE(at::equal(kernel().abs(), at::ones_like(kernel())));
  EXPECT_FALSE(fs::exists(RunFolder{run.out}.best()));
  run.start = StartMode::kResume;
  Stopping second_stage(2);
  EXPECT_FALSE(train(run, second_stage).ok());
  EXPECT_TRUE(at::equal(kernel().abs(), at::ones_like(kernel())));
  Silent silent;
  ASSERT_TRUE(train(run, silent).ok());
  const std::vector<nlohmann::json> lines = metrics("run");
  ASSERT_EQ(lines.size(), 4U);
  for (std::size_t epoch = 0; epoch < lines.size(); ++epoch) {
    EXPECT_EQ(lines[epoch].contains("real_kernels"), epoch < 2) << epoch;
    if (epoch < 2) {
      EXPECT_FALSE(lines[epoch]["best"].get<bool>());
    }
    EXPECT_EQ(lines[epoch]["exit_weights"].size(), 2U);
  }
  EXPECT_TRUE(lines[2]["best"].get<bool>());
}

// The exported parameters are the averages: put in the place of the parameters they answer as the model does.
TEST_F(Stages, TheModelHoldsTheAverages) {
  Recipe recipe = everything();
  recipe.epochs = 1;
  recipe.float_epochs = 0;
  recipe.bop_warmup_epochs = 0;
  const TrainOptions run = options("run", recipe);
  Silent silent;
  ASSERT_TRUE(train(run, silent).ok());
  const auto model = model::open(RunFolder{run.out}.best()).value();
  const auto network = TrainableNetwork::create(model->network, recipe.binary_optimizer, recipe.seed).value();
  std::vector<NamedTensor> tensors = load_checkpoint(RunFolder{run.out}.checkpoint()).value().tensors;
  const auto differs = [&] {
    EXPECT_TRUE(restore(tensors, network.state()).ok());
    return !Comparison(network, model).compare(sounds(4)).unexplained.empty();
  };
  EXPECT_TRUE(differs()) << "the averages are the parameters";
  for (const NamedTensor& average : std::vector<NamedTensor>(tensors)) {
    constexpr std::string_view kEnd = ".average";
    if (!average.name.ends_with(kEnd)) continue;
    const std::string name = average.name.substr(0, average.name.size() - kEnd.size());
    for (NamedTensor& tensor : tensors)
      if (tensor.name == name) tensor.value = average.value;
  }
  EXPECT_FALSE(differs());
}

// Exits as early as in the stem, with both pools, from training to the answers of the exported model.
TEST_F(Stages, TheEarliestExitsTrainAndRun) {
  for (const graph::ExitPool pool : {graph::ExitPool::kTime, graph::ExitPool::kGlobal}) {
    const std::pair<const char*, int> placements[] = {
        {"stem.relu1", 1}, {"stem", 5}, {"s1.b1,s1.b2", 2}, {"stem.relu1,stem,s1.b1,s2.b1", 4}};
    for (const auto& [placement, exits] : placements) {
      SCOPED_TRACE(placement);
      Recipe recipe = everything();
      recipe.placement = placement;
      recipe.pool = pool;
      recipe.epochs = 1;
      recipe.float_epochs = 0;
      recipe.average_decay = 0;
      recipe.bop_warmup_epochs = 0;
      if (exits == 1) recipe.loss.distillation = 0;  // nobody to teach
      TrainOptions run = options("run", recipe);
      run.start = StartMode::kOverwrite;
      Silent silent;
      const Status trained = train(run, silent);
      ASSERT_TRUE(trained.ok()) << trained.error().message;
      const auto model = model::open(RunFolder{run.out}.best()).value();
      const auto network =
          TrainableNetwork::create(model->network, recipe.binary_optimizer, recipe.seed).value();
      ASSERT_TRUE(
          restore(load_checkpoint(RunFolder{run.out}.checkpoint()).value().tensors, network.state()).ok());
      const Agreement found = Comparison(network, model).compare(sounds(4));
      EXPECT_EQ(found.unexplained, std::vector<std::string>());
      EXPECT_EQ(network.network().exit_count(), exits);
    }
  }
}

TEST_F(Stages, OneExitHasNobodyToTeachAndTrainsAllTheSame) {
  Recipe recipe = everything();
  recipe.single_exit = 1;
  EXPECT_TRUE(check(recipe).ok());
}

}  // namespace
}  // namespace bittern::training
