// A model with random weights whose answers differ from clip to clip, and clips to tell apart.
#pragma once

#include <algorithm>
#include <cmath>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/aligned.h"
#include "core/random.h"
#include "model/random_model.h"
#include "runtime/session.h"

namespace bittern::evaluation {

// Tones, sweeps and noises of different pitch and loudness, `samples` long.
inline std::vector<float> synthetic_clip(std::uint64_t seed, std::size_t samples) {
  Random random{0xC11F, seed};
  const float level = random.uniform(0.02F, 0.5F);
  const float noise = random.uniform(0.0F, 0.1F);
  const double pitch = random.uniform(100.0F, 3000.0F);
  const double glide = random.uniform(-0.5F, 0.5F);
  std::vector<float> clip(samples);
  for (std::size_t i = 0; i < samples; ++i) {
    const double t = static_cast<double>(i) / 16000.0;
    const auto tone = static_cast<float>(std::sin(6.2831853 * pitch * t * (1.0 + glide * t)));
    clip[i] = level * tone + noise * random.uniform(-1.0F, 1.0F);
  }
  return clip;
}

inline std::vector<std::vector<float>> synthetic_clips(std::size_t count, std::size_t samples) {
  std::vector<std::vector<float>> clips;
  for (std::size_t i = 0; i < count; ++i) clips.push_back(synthetic_clip(i, samples));
  return clips;
}

// random_model() always gives the same label: one logit's mean outweighs everything. Here each exit's biases
// are moved so that every logit has mean 0 over `clips`, and its temperature so that entropies spread.
inline std::shared_ptr<model::Model> varied_model(const graph::Network& network, std::uint64_t seed,
                                                  std::span<const std::vector<float>> clips) {
  auto model = model::random_model(network, seed);
  auto session = runtime::Session::create(model);
  const auto exits = static_cast<std::size_t>(network.exit_count());
  const auto classes = static_cast<std::size_t>(network.classes());
  std::vector<double> sums(exits * classes), squares(exits * classes);
  std::vector<float> logits(exits * classes);
  for (const std::vector<float>& clip : clips) {
    if (!session->logits(clip, logits).ok()) return nullptr;
    for (std::size_t i = 0; i < logits.size(); ++i) {
      sums[i] += static_cast<double>(logits[i]);
      squares[i] += static_cast<double>(logits[i]) * static_cast<double>(logits[i]);
    }
  }
  struct Storage {
    std::shared_ptr<const void> before;
    std::vector<AlignedBuffer<float>> biases;
  };
  auto storage = std::make_shared<Storage>();
  storage->before = model->storage;
  const auto count = static_cast<double>(clips.size());
  for (std::size_t e = 0; e < exits; ++e) {
    auto& weights = model->weights[static_cast<std::size_t>(network.exits()[e])];
    AlignedBuffer<float> bias(classes);
    double variance = 0;
    for (std::size_t c = 0; c < classes; ++c) {
      const double mean = sums[e * classes + c] / count;
      bias.span()[c] = weights.bias[c] - static_cast<float>(mean);
      variance += std::max(0.0, squares[e * classes + c] / count - mean * mean);
    }
    model->temperatures[e] =
        static_cast<float>(std::max(1e-4, std::sqrt(variance / static_cast<double>(classes)) / 1.5));
    weights.bias = storage->biases.emplace_back(std::move(bias)).span();
  }
  model->storage = storage;
  return model;
}

}  // namespace bittern::evaluation
