// Sessions: samples in, answers out.
#include <cstdint>
#include <string>

#include "capi/handles.h"
#include "capi/options.h"

namespace bittern::capi {
namespace {

Status classify(bittern_session& session, std::span<const float> samples) {
  runtime::Classification answer;
  BITTERN_RETURN_IF_ERROR(session.session.classify(samples, session.policy, answer, session.only));
  session.result = result_of(answer, answer.probabilities.data());
  return {};
}

Status classify_exits(bittern_session& session, std::span<const float> samples) {
  BITTERN_RETURN_IF_ERROR(session.session.logits(samples, session.logits));
  const model::Model& model = session.session.model();
  const std::size_t classes = model.labels.size();
  for (std::size_t i = 0; i < session.exits.size(); ++i) {
    const auto probabilities = std::span(session.probabilities).subspan(i * classes, classes);
    exits::softmax(std::span(session.logits).subspan(i * classes, classes), model.temperatures[i],
                   probabilities, session.only);
    const exits::Answer answer = exits::answer(probabilities);
    const graph::ExitCounts& counts = session.session.counts(static_cast<int>(i) + 1);
    session.exits[i] = {.label = answer.label,
                        .exit = counts.exit,
                        .probability = answer.max_probability,
                        .entropy = answer.entropy,
                        .probabilities = probabilities.data(),
                        .macs_share = counts.share,
                        .macs_binary = counts.cumulative.binary,
                        .macs_float = counts.cumulative.floating};
  }
  session.exits_valid = true;
  return {};
}

}  // namespace
}  // namespace bittern::capi

using bittern::invalid_argument;
using bittern::Status;
using bittern::capi::guarded;

bittern_status bittern_session_open(const bittern_model* model, const bittern_options* options,
                                    bittern_session** session, char* error, size_t error_size) noexcept {
  return guarded(error, error_size, [&]() -> Status {
    if (model == nullptr || session == nullptr)
      return invalid_argument("bittern_session_open: model or session is NULL");
    BITTERN_ASSIGN_OR_RETURN(bittern::capi::Options chosen,
                             bittern::capi::read_options(options, *model->model));
    BITTERN_ASSIGN_OR_RETURN(bittern::runtime::Session opened,
                             bittern::runtime::Session::create(model->model, chosen.session));
    auto handle = std::make_unique<bittern_session>(std::move(opened), chosen.policy, std::move(chosen.only));
    const auto exits = static_cast<std::size_t>(model->model->network.exit_count());
    handle->exits.resize(exits);
    handle->logits.resize(exits * model->model->labels.size());
    handle->probabilities.resize(handle->logits.size());
    *session = handle.release();
    return {};
  });
}

void bittern_session_close(bittern_session* session) noexcept {
  const std::unique_ptr<bittern_session> owned(session);
}

bittern_status bittern_classify(bittern_session* session, const float* samples, size_t count,
                                const bittern_result** result) noexcept {
  if (session == nullptr) return BITTERN_INVALID_ARGUMENT;
  session->exits_valid = false;
  return guarded(session->error.data(), session->error.size(), [&]() -> Status {
    if (result == nullptr) return invalid_argument("bittern_classify: result is NULL");
    BITTERN_RETURN_IF_ERROR(bittern::capi::check_samples(samples, count));
    BITTERN_RETURN_IF_ERROR(bittern::capi::classify(*session, {samples, count}));
    *result = &session->result;
    return {};
  });
}

bittern_status bittern_classify_exits(bittern_session* session, const float* samples, size_t count) noexcept {
  if (session == nullptr) return BITTERN_INVALID_ARGUMENT;
  session->exits_valid = false;
  return guarded(session->error.data(), session->error.size(), [&]() -> Status {
    BITTERN_RETURN_IF_ERROR(bittern::capi::check_samples(samples, count));
    return bittern::capi::classify_exits(*session, {samples, count});
  });
}

const bittern_result* bittern_exit_result(const bittern_session* session, int exit) noexcept {
  if (session == nullptr || !session->exits_valid || exit < 1 ||
      exit > static_cast<int>(session->exits.size()))
    return nullptr;
  return &session->exits[static_cast<std::size_t>(exit) - 1];
}

const char* bittern_session_error(const bittern_session* session) noexcept {
  return session == nullptr ? "" : session->error.data();
}
