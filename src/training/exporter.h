// From trained tensors to the model that is shipped.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/status.h"
#include "features/log_mel_spec.h"
#include "model/model.h"
#include "training/modules.h"

namespace bittern::training {

// Packs the 1-bit kernels, folds the batch norms (fold() in batch_norm.h), and adds the self-test digests.
Expected<std::shared_ptr<const model::Model>> export_model(const TrainableNetwork& network,
                                                           const features::LogMelSpec& front_end,
                                                           std::vector<std::string> labels,
                                                           model::Provenance provenance);

// The date of SOURCE_DATE_EPOCH as "2026-11-25T00:00:00Z", empty where that is not set; an error where it is
// not a number of seconds.
Expected<std::string> source_date();

}  // namespace bittern::training
