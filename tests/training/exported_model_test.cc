// The model that a training leaves answers as its trainer did.
#include <gtest/gtest.h>

#include <algorithm>

#include "audio/temp_folder.h"
#include "model/file.h"
#include "model/random_model.h"
#include "training/agreement.h"
#include "training/checkpoint.h"
#include "training/exporter.h"
#include "training/sounds.h"
#include "training/trainer.h"

namespace bittern::training {
namespace {

// Trains for one epoch, which is then the best, and compares what the checkpoint holds with the exported
// file.
void expect_agreement(const Recipe& recipe, int train_clips, int test_clips) {
  const test::TempFolder folder;
  write_sounds(folder / "data", train_clips, 2);
  TrainOptions options;
  options.data = folder / "data";
  options.out = folder / "run";
  options.recipe = recipe;
  Silent silent;
  const Status trained = train(options, silent);
  ASSERT_TRUE(trained.ok()) << trained.error().message;

  const RunFolder run{options.out};
  const auto model = model::open(run.best()).value();
  const auto network = TrainableNetwork::create(model->network, recipe.binary_optimizer, recipe.seed).value();
  const Checkpoint checkpoint = load_checkpoint(run.checkpoint()).value();
  ASSERT_EQ(checkpoint.position.best_epoch, checkpoint.position.epoch);
  ASSERT_TRUE(restore(checkpoint.tensors, network.state()).ok());

  const Agreement found = Comparison(network, model).compare(sounds(test_clips));
  EXPECT_EQ(found.unexplained, std::vector<std::string>());
  EXPECT_EQ(found.pairs, kPitches * test_clips * network.network().exit_count());
  EXPECT_GE(found.same_label, 0.999 * found.pairs);
  EXPECT_GE(found.within_rounding, 0.9 * found.pairs) << "signs at zero are no rare thing any more";
  // Answers that never change would agree whatever the networks do.
  EXPECT_LT(*std::max_element(found.answers.begin(), found.answers.end()), 0.8 * found.pairs);
}

Recipe brief(const char* architecture) {
  Recipe recipe;
  recipe.architecture = architecture;
  recipe.epochs = 1;
  recipe.batch = 8;
  recipe.learning_rate = 0.01;
  return recipe;
}

TEST(ExportedModel, AnswersAsItsTrainerDidWithBop) { expect_agreement(brief("quicknet"), 16, 75); }

// Batch norms stand before the signs here.
TEST(ExportedModel, AnswersAsItsTrainerDidWithLatentWeights) {
  Recipe recipe = brief("meliusnet-22");
  recipe.binary_optimizer = BinaryOptimizer::kAdam;
  expect_agreement(recipe, 6, 50);
}

// Kernels with scales, approximate signs, zero padding with a stride and averages on the shortcuts.
TEST(ExportedModel, AnswersAsItsTrainerDidWithMagnitudes) {
  Recipe recipe = brief("birealnet-18");
  recipe.binary_optimizer = BinaryOptimizer::kAdam;
  expect_agreement(recipe, 6, 25);
}

TEST(ExportedModel, AnswersAsItsTrainerDidBehindConcatenations) {
  expect_agreement(brief("binarydensenet-28"), 6, 25);
}

// PReLU, norms before signs, and a layer that reads one tensor twice (the mean, where channels are doubled).
TEST(ExportedModel, AnswersAsItsTrainerDidInBitternsOwnFamily) {
  expect_agreement(brief("bittern:p3x3s2x2-16x1-32x2"), 6, 50);
}

TEST(ExportedModel, AnswersAsItsTrainerDidWithAnInt8Stem) {
  expect_agreement(brief("bittern:i5x8s4x4-16x1-32x2"), 6, 50);
}

// The comparison itself: what is no rounding must not pass as such.
TEST(ExportedModel, AChangedWeightIsNoRounding) {
  const graph::Network tiny = model::tiny_network(kPitches);
  for (const BinaryOptimizer optimizer : {BinaryOptimizer::kBop, BinaryOptimizer::kAdam}) {
    const auto network = TrainableNetwork::create(tiny, optimizer, 3).value();
    const features::LogMelSpec front_end = model::front_end_for(tiny.input_shape());
    const auto model = export_model(network, front_end, {"a", "b", "c", "d"}, {}).value();
    const datasets::LoadedClips clips = sounds(4, static_cast<std::size_t>(front_end.clip_samples));
    EXPECT_EQ(Comparison(network, model).compare(clips).unexplained, std::vector<std::string>());

    for (const Parameter& parameter : network.parameters()) {
      SCOPED_TRACE(parameter.name);
      const at::NoGradGuard no_grad;
      const at::Tensor before = parameter.value.clone();
      at::Tensor value = parameter.value;
      // A bit of a 1-bit kernel, a thousandth of a float.
      if (parameter.binary) value = value.view(-1)[0];
      value.copy_(parameter.binary ? -value : value * 1.001F + 0.001F);
      EXPECT_FALSE(Comparison(network, model).compare(clips).unexplained.empty());
      parameter.value.copy_(before);
    }
  }
}

}  // namespace
}  // namespace bittern::training
