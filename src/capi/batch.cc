// Batches: many clips in, their answers out.
#include <array>
#include <string>
#include <vector>

#include "capi/handles.h"
#include "capi/options.h"
#include "runtime/batch.h"

// NOLINTBEGIN(readability-identifier-naming): as bittern.h names them
struct bittern_batch {
  bittern::runtime::Batch batch;
  bittern::exits::Policy policy;
  std::vector<std::uint8_t> only;
  std::size_t classes = 0;
  std::vector<bittern_result> results;
  std::vector<float> probabilities;  // [clips, classes]
  std::array<char, 512> error{};
};
// NOLINTEND(readability-identifier-naming)

namespace bittern::capi {
namespace {

constexpr int kMaxThreads = 256;

// The error of the first clip that failed.
Status classify(bittern_batch& batch, std::span<const bittern_clip> clips) {
  constexpr bittern_result kFailed{.label = -1,
                                   .exit = 0,
                                   .probability = 0,
                                   .entropy = 0,
                                   .probabilities = nullptr,
                                   .macs_share = 0,
                                   .macs_binary = 0,
                                   .macs_float = 0};
  batch.results.assign(clips.size(), kFailed);
  batch.probabilities.resize(clips.size() * batch.classes);
  Status outcome;
  const auto source = [&](std::size_t clip, std::vector<float>&) -> Expected<std::span<const float>> {
    BITTERN_RETURN_IF_ERROR(check_samples(clips[clip].samples, clips[clip].count));
    return std::span(clips[clip].samples, clips[clip].count);
  };
  const auto sink = [&](std::size_t clip, const Expected<runtime::BatchAnswer>& answer) -> Status {
    if (answer.ok()) {
      float* const kept = batch.probabilities.data() + clip * batch.classes;
      std::copy(answer->probabilities.begin(), answer->probabilities.end(), kept);
      batch.results[clip] = result_of(answer->said, kept);
    } else if (outcome.ok()) {
      outcome = Error{answer.error().code, "clip " + std::to_string(clip) + ": " + answer.error().message};
    }
    return {};
  };
  BITTERN_RETURN_IF_ERROR(batch.batch.classify(clips.size(), batch.policy, batch.only, source, sink));
  return outcome;
}

}  // namespace
}  // namespace bittern::capi

using bittern::invalid_argument;
using bittern::Status;
using bittern::capi::guarded;

bittern_status bittern_batch_open(const bittern_model* model, const bittern_options* options, int threads,
                                  bittern_batch** batch, char* error, size_t error_size) noexcept {
  return guarded(error, error_size, [&]() -> Status {
    if (model == nullptr || batch == nullptr)
      return invalid_argument("bittern_batch_open: model or batch is NULL");
    if (threads > bittern::capi::kMaxThreads)
      return invalid_argument("a batch has at most " + std::to_string(bittern::capi::kMaxThreads) +
                              " threads");
    BITTERN_ASSIGN_OR_RETURN(bittern::capi::Options chosen,
                             bittern::capi::read_options(options, *model->model));
    BITTERN_ASSIGN_OR_RETURN(bittern::runtime::Batch opened,
                             bittern::runtime::Batch::create(model->model, chosen.session, threads));
    auto handle = std::make_unique<bittern_batch>(bittern_batch{.batch = std::move(opened),
                                                                .policy = chosen.policy,
                                                                .only = std::move(chosen.only),
                                                                .classes = model->model->labels.size(),
                                                                .results = {},
                                                                .probabilities = {}});
    *batch = handle.release();
    return {};
  });
}

void bittern_batch_close(bittern_batch* batch) noexcept { const std::unique_ptr<bittern_batch> owned(batch); }

bittern_status bittern_batch_classify(bittern_batch* batch, const bittern_clip* clips, size_t clip_count,
                                      const bittern_result** results) noexcept {
  if (batch == nullptr || results == nullptr) return BITTERN_INVALID_ARGUMENT;
  return guarded(batch->error.data(), batch->error.size(), [&]() -> Status {
    if (clips == nullptr && clip_count != 0) return invalid_argument("clips is NULL");
    Status outcome = bittern::capi::classify(*batch, {clips, clip_count});
    *results = batch->results.data();
    return outcome;
  });
}

const char* bittern_batch_error(const bittern_batch* batch) noexcept {
  return batch == nullptr ? "" : batch->error.data();
}
