// Variations of a clip while training. Every draw comes from a bittern::Random that the caller names by
// (seed, epoch, clip), so nothing depends on threads, order or a resumed run.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/random.h"
#include "training/clip_store.h"
#include "training/recipe.h"

namespace bittern::training {

// Writes one window of `clip`: a random one of a longer clip (else its centre), shifted in time, and
// played slower or faster around its centre: pitch and tempo change together, as of another speaker. What
// lies outside the clip is 0. Makes it louder or softer. Then adds, with the probability of the settings, a
// random stretch of one of `noise` (each at least 1 sample; shorter than the window: repeated) at a random
// level. Not clipped to full scale.
void augment_samples(const ClipStore& clips, int clip, std::span<const std::vector<float>> noise,
                     const AugmentSettings& settings, int sample_rate, Random& random,
                     std::span<float> window);

// SpecAugment (Park and others 2019) on features [frames, bins]: masks of uniform width 0..longest at uniform
// places, filled with `fill`.
void augment_features(std::span<float> features, int frames, int bins, const AugmentSettings& settings,
                      float fill, Random& random);

}  // namespace bittern::training
