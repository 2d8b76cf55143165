#include "runtime/batch.h"

#include <chrono>
#include <new>
#include <system_error>

#include "core/in_order.h"

namespace bittern::runtime {
namespace {

using Clock = std::chrono::steady_clock;

Expected<BatchAnswer> answer(Session& session, std::span<const float> samples, const exits::Policy& policy,
                             std::span<const std::uint8_t> only) {
  BITTERN_RETURN_IF_ERROR(session.plan(samples.size()));
  BatchAnswer result;
  const Clock::time_point start = Clock::now();
  BITTERN_RETURN_IF_ERROR(session.classify(samples, policy, result.said, only));
  result.time_us = std::chrono::duration<double, std::micro>(Clock::now() - start).count();
  result.probabilities.assign(result.said.probabilities.begin(), result.said.probabilities.end());
  result.said.probabilities = result.probabilities;
  return result;
}

}  // namespace

Expected<Batch> Batch::create(const std::shared_ptr<const model::Model>& model, const SessionOptions& options,
                              int threads) {
  if (threads < 1) return invalid_argument("a batch needs at least one thread");
  if (!options.arena.empty())
    return invalid_argument("the sessions of a batch have working memory of their own");
  std::vector<Session> sessions;
  for (int i = 0; i < threads; ++i) {
    BITTERN_ASSIGN_OR_RETURN(Session session, Session::create(model, options));
    sessions.push_back(std::move(session));
  }
  return Batch(std::move(sessions));
}

Status Batch::classify(std::size_t count, const exits::Policy& policy, std::span<const std::uint8_t> only,
                       const Source& source, const Sink& sink) {
  try {
    std::vector<std::vector<float>> memories(sessions_.size());
    const auto work = [&](std::size_t thread, std::size_t clip) -> Expected<BatchAnswer> {
      try {
        BITTERN_ASSIGN_OR_RETURN(const std::span<const float> samples, source(clip, memories[thread]));
        return answer(sessions_[thread], samples, policy, only);
      } catch (const std::bad_alloc&) {
        return Error{ErrorCode::kOutOfMemory, "out of memory"};
      }
    };
    return in_order(threads(), count, work, sink);
  } catch (const std::bad_alloc&) {
    return Error{ErrorCode::kOutOfMemory, "out of memory"};
  } catch (const std::system_error& error) {
    return Error{ErrorCode::kOutOfMemory, std::string("no further thread: ") + error.what()};
  }
}

}  // namespace bittern::runtime
