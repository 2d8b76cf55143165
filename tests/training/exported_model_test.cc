// The model that a training leaves answers as its trainer did.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "audio/audio.h"
#include "audio/temp_folder.h"
#include "core/random.h"
#include "graph/architecture.h"
#include "model/file.h"
#include "training/agreement.h"
#include "training/checkpoint.h"
#include "training/exporter.h"
#include "training/trainer.h"

namespace bittern::training {
namespace {

namespace fs = std::filesystem;

constexpr int kPitches = 4;

// A square wave somewhere in its label's octave, silent before and after, in noise.
std::vector<float> sound(int label, std::uint64_t seed) {
  Random random{seed, static_cast<std::uint64_t>(label)};
  std::vector<float> samples(16000);
  const std::uint64_t shortest = std::uint64_t{8} << static_cast<unsigned>(label);
  const std::size_t period = shortest + random.below(shortest);
  const float level = random.uniform(0.02F, 0.5F);
  const float noise = random.uniform(0.0F, 0.1F);
  const std::size_t begin = random.below(6000);
  const std::size_t end = 10000 + random.below(6000);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    const float tone = i % period < period / 2 ? level : -level;
    samples[i] = (i >= begin && i < end ? tone : 0.0F) + random.uniform(-noise, noise);
  }
  return samples;
}

void write_split(const fs::path& folder, int clips, std::uint64_t seed) {
  for (int label = 0; label < kPitches; ++label) {
    const fs::path of_label = folder / ("pitch-" + std::to_string(label));
    fs::create_directories(of_label);
    for (int clip = 0; clip < clips; ++clip) {
      const auto samples = sound(label, seed + static_cast<std::uint64_t>(clip));
      ASSERT_TRUE(audio::write_wav(of_label / ("s" + std::to_string(clip) + "_1.wav"), samples, 16000).ok());
    }
  }
}

datasets::LoadedClips test_split(int clips) {
  datasets::LoadedClips loaded;
  for (int label = 0; label < kPitches; ++label) {
    for (int clip = 0; clip < clips; ++clip) {
      loaded.samples.push_back(sound(label, 1000000 + static_cast<std::uint64_t>(clip)));
      loaded.labels.push_back(label);
    }
  }
  return loaded;
}

class Silent final : public TrainObserver {
 public:
  void notice(const std::string&) override {}
  void loading(std::size_t, std::size_t) override {}
  void stepped(int, std::size_t, std::size_t, double) override {}
  void finished_epoch(const EpochReport&) override {}
  bool stop() override { return false; }
};

// Trains for one epoch, which is then the best, and compares what the checkpoint holds with the exported
// file.
void expect_agreement(const Recipe& recipe, int train_clips, int test_clips) {
  const test::TempFolder folder;
  write_split(folder / "data" / "train", train_clips, 0);
  write_split(folder / "data" / "validation", 2, 1000);
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

  const Agreement found = Comparison(network, model).compare(test_split(test_clips));
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

// Batch norms stand before the signs here; latent weights give every 1-bit kernel a scale.
TEST(ExportedModel, AnswersAsItsTrainerDidWithLatentWeights) {
  Recipe recipe = brief("meliusnet-22");
  recipe.binary_optimizer = BinaryOptimizer::kAdam;
  expect_agreement(recipe, 6, 50);
}

TEST(ExportedModel, AnswersAsItsTrainerDidBehindConcatenations) {
  expect_agreement(brief("binarydensenet-28"), 6, 25);
}

// The comparison itself: what is no rounding must not pass as such.
TEST(ExportedModel, AChangedWeightIsNoRounding) {
  graph::BuildOptions options;
  options.architecture = "quicknet-small";
  options.classes = kPitches;
  const auto network =
      TrainableNetwork::create(graph::build(options).value(), BinaryOptimizer::kBop, 3).value();
  const auto model = export_model(network, {}, {"a", "b", "c", "d"}, {}).value();
  const datasets::LoadedClips clips = test_split(1);
  EXPECT_EQ(Comparison(network, model).compare(clips).unexplained, std::vector<std::string>());

  for (const char* name : {"exit1.scale", "s2.b2.conv.kernel", "s2.b2.bn.gamma"}) {
    const auto found = std::find_if(network.parameters().begin(), network.parameters().end(),
                                    [&](const Parameter& parameter) { return parameter.name == name; });
    ASSERT_NE(found, network.parameters().end()) << name;
    const at::NoGradGuard no_grad;
    at::Tensor values = found->binary ? found->value.view(-1)[0] : found->value;  // one bit, or a thousandth
    const at::Tensor before = values.clone();
    values.copy_(found->binary ? -before : before * 1.001F + 0.001F);
    EXPECT_FALSE(Comparison(network, model).compare(clips).unexplained.empty()) << name;
    values.copy_(before);
  }
}

}  // namespace
}  // namespace bittern::training
