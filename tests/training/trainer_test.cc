// What a training leaves in its folder when a recipe asks for something special.
#include "training/trainer.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "audio/temp_folder.h"
#include "graph/architecture.h"
#include "model/file.h"
#include "runtime/session.h"
#include "training/checkpoint.h"
#include "training/sounds.h"

namespace bittern::training {
namespace {

class Trainer : public testing::Test {
 protected:
  Status run() {
    options_.data = folder_ / "data";
    options_.out = folder_ / "run";
    Silent silent;
    return train(options_, silent);
  }
  Trainer() {
    write_sounds(folder_ / "data", 2, 1);
    options_.recipe.architecture = "quicknet-small";
    options_.recipe.epochs = 1;
    options_.recipe.batch = 4;
  }
  graph::Network whole() const {
    graph::BuildOptions build;
    build.architecture = "quicknet-small";
    build.classes = kPitches;
    return graph::build(build).value();
  }
  const test::TempFolder folder_;
  TrainOptions options_;
};

// In the only step of all: no loss comes after it.
TEST_F(Trainer, ADivergedNetworkIsNoModel) {
  options_.recipe.batch = 64;
  options_.recipe.learning_rate = 1e38;
  const Status trained = run();
  ASSERT_FALSE(trained.ok());
  EXPECT_NE(trained.error().message.find("after epoch 1: lower --learning-rate"), std::string::npos)
      << trained.error().message;
  EXPECT_FALSE(std::filesystem::exists(RunFolder{options_.out}.best()));
}

TEST_F(Trainer, ASingleExitIsTheNetworkCutThere) {
  options_.recipe.single_exit = 2;
  options_.recipe.exit_weights = {0.5};
  const Status trained = run();
  ASSERT_TRUE(trained.ok()) << trained.error().message;

  const RunFolder folder{options_.out};
  const auto model = model::open(folder.best()).value();
  const graph::Network cut = whole().cut_at_exit(2).value();
  ASSERT_EQ(model->network.exit_count(), 1);
  ASSERT_EQ(model->network.layers().size(), cut.layers().size());
  EXPECT_LT(cut.layers().size(), whole().layers().size());
  for (std::size_t i = 0; i < cut.layers().size(); ++i) {
    EXPECT_EQ(model->network.layers()[i].name, cut.layers()[i].name);
    EXPECT_EQ(model->network.layers()[i].output, cut.layers()[i].output);
  }
  EXPECT_EQ(model->network.shape_of(model->network.layers().back().inputs[0]).channels,
            whole().input_of(whole().exits()[1]).channels);

  runtime::Session session = runtime::Session::create(model).value();
  std::vector<float> logits(kPitches);
  EXPECT_TRUE(session.logits(sound(0, 9), logits).ok());

  const auto metrics = nlohmann::json::parse(test::read_bytes(folder.metrics()));
  EXPECT_EQ(metrics["exits"].size(), 1U);
  EXPECT_EQ(metrics["exit_losses"].size(), 1U);
  EXPECT_DOUBLE_EQ(metrics["loss"].get<double>(), 0.5 * metrics["exit_losses"][0].get<double>());
  // Layers behind the cut are not trained in secret.
  const Checkpoint checkpoint = load_checkpoint(folder.checkpoint()).value();
  for (const NamedTensor& tensor : checkpoint.tensors) {
    const std::string layer = tensor.name.substr(0, tensor.name.find_last_of('.'));
    const bool known = std::any_of(cut.layers().begin(), cut.layers().end(), [&](const graph::Layer& of) {
      return layer == of.name || layer.starts_with(of.name + ".");
    });
    EXPECT_TRUE(known) << tensor.name;
  }
}

TEST_F(Trainer, WeightsMustBeThoseOfItsExits) {
  options_.recipe.exit_weights = {1, 1};
  Status trained = run();
  ASSERT_FALSE(trained.ok());
  EXPECT_EQ(trained.error().message, "2 exit weights for a network with 5 exits");
  options_.recipe.single_exit = 3;
  trained = run();
  ASSERT_FALSE(trained.ok());
  EXPECT_EQ(trained.error().message, "2 exit weights for a network with 1 exit");
  options_.recipe.single_exit = 6;
  EXPECT_FALSE(run().ok());
  EXPECT_FALSE(std::filesystem::exists(options_.out));
}

// An exit of weight 0 is run, but neither it nor what only it reads learns.
TEST_F(Trainer, AnExitWithoutWeightDoesNotLearn) {
  options_.recipe.exit_weights = {1, 0, 0, 0, 0};
  ASSERT_TRUE(run().ok());
  const auto start =
      TrainableNetwork::create(whole(), options_.recipe.binary_optimizer, options_.recipe.seed).value();
  const std::vector<NamedTensor> saved =
      load_checkpoint(RunFolder{options_.out}.checkpoint()).value().tensors;
  const auto moved = [&](const std::string& name) {
    const auto is = [&](const NamedTensor& tensor) { return tensor.name == name; };
    const auto before = std::find_if(start.state().begin(), start.state().end(), is);
    const auto after = std::find_if(saved.begin(), saved.end(), is);
    EXPECT_NE(before, start.state().end()) << name;
    EXPECT_NE(after, saved.end()) << name;
    return !at::equal(before->value, after->value.to(at::kFloat));
  };
  EXPECT_TRUE(moved("stem.conv1.kernel"));
  EXPECT_TRUE(moved("exit1.scale"));
  EXPECT_FALSE(moved("exit2.scale"));
  EXPECT_FALSE(moved("exit5.beta"));
  EXPECT_FALSE(moved("s4.b4.conv.kernel"));
}

}  // namespace
}  // namespace bittern::training
