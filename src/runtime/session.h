// Runs a model: samples in, an answer out, with no work behind the exit taken.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "core/isa.h"
#include "core/status.h"
#include "exits/rule.h"
#include "graph/counts.h"
#include "model/model.h"

namespace bittern::runtime {

// What of a clip longer than the model's window is looked at.
enum class Segment : std::uint8_t {
  kWhole,    // all of it; pooling runs over its whole length (the paper)
  kCentre,   // the window in its middle
  kLoudest,  // the window with the most energy, the earliest of equals
};

struct SessionOptions {
  Isa isa = best_isa();
  Segment segment = Segment::kWhole;
  // Working memory of the caller's, 64-byte aligned, alive as long as the session; empty: the session's own.
  // A length that needs more is refused, with the number of bytes (Session::required_arena_bytes).
  std::span<std::byte> arena{};
};

struct Classification {
  int label = 0;                         // index into Model::labels
  int exit = 0;                          // from 1
  float entropy = 0;                     // nats, at that exit
  std::span<const float> probabilities;  // [classes], the session's memory, valid until its next call
  graph::Macs macs;                      // done up to that exit, exits' dense layers left out
  double macs_share = 0;
};

// What was executed by the latest call; for tests and `inspect`.
struct Trace {
  int steps = 0;
  int stages = 0;
  graph::Macs macs;
};

// More than one, and not many: a plan takes tens of kilobytes.
inline constexpr std::size_t kKeptPlans = 4;

// One per thread; many may share one model. After prepare() for a length, calls with clips of that length
// allocate nothing. A call with another length plans for it first, which allocates; the plans of the latest
// kKeptPlans such lengths are kept. Errors of all calls: kInvalidArgument for samples, features, masks or
// policies that make no sense and for clips too long to plan for, kCorrupt where the model's weights give a
// logit that is not finite, kOutOfMemory.
class Session {
 public:
  // Prepared for the model's own window.
  static Expected<Session> create(std::shared_ptr<const model::Model> model, SessionOptions options = {});
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  const model::Model& model() const;

  // Plans for clips of `samples` samples.
  Status prepare(std::int64_t samples);
  // The same for the next call only: what classify() would do first.
  Status plan(std::size_t samples) noexcept;
  std::size_t arena_bytes() const;  // in use, for the largest length so far
  // What a session needs that is to take clips of `samples` samples: for them and for the window.
  static Expected<std::size_t> required_arena_bytes(const model::Model& model, std::int64_t samples,
                                                    Segment segment = Segment::kWhole);

  // samples: mono at the model's rate, full scale +-1. Shorter than the window: centred in silence. Empty, or
  // a sample that is not finite or beyond +-1024: kInvalidArgument. `only`, if not empty, [classes] of 0 or
  // 1: probabilities are renormalised over the 1s before the rule decides.
  Status classify(std::span<const float> samples, const exits::Policy& policy, Classification& result,
                  std::span<const std::uint8_t> only = {}) noexcept;

  // Logits of every exit, [exits, classes], before temperature.
  Status logits(std::span<const float> samples, std::span<float> output) noexcept;
  // The same from ready features [frames, mel_bins], any number of frames that the network can take.
  Status logits_from_features(std::span<const float> features, std::span<float> output) noexcept;

  // What exit `exit`, from 1 to the model's last, costs for clips of the latest call's length; of the window
  // before the first call.
  const graph::ExitCounts& counts(int exit) const;

  const Trace& trace() const;

 private:
  struct State;
  explicit Session(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace bittern::runtime
