// The check that a model carries: fixed audio made by integer arithmetic, digests of all that follows from
// it.
#pragma once

#include <string>
#include <vector>

#include "core/isa.h"
#include "core/status.h"
#include "model/model.h"

namespace bittern::runtime {

// One window of integer-made test audio: [spec.clip_samples].
std::vector<float> self_test_audio(const features::LogMelSpec& spec);

// Computes the digests to store.
Expected<model::SelfTest> compute_self_test(const std::shared_ptr<const model::Model>& model,
                                            Isa isa = best_isa());

// Ok, or an error naming the first stage that differs ("features", "stage 2 (s2.b4)", "logits"); kUnsupported
// without a stored test.
Status run_self_test(const std::shared_ptr<const model::Model>& model, Isa isa = best_isa());

}  // namespace bittern::runtime
