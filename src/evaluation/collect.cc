#include "evaluation/collect.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <thread>

#include "evaluation/timing.h"
#include "graph/counts.h"

namespace bittern::evaluation {
namespace {

// Shares of the network's MACs for clips of so many frames. With the whole clip looked at, a longer clip
// means a longer network.
class Shares {
 public:
  Shares(const model::Model& model, runtime::Segment segment) : model_(model), segment_(segment) {}

  Expected<std::vector<double>> of(std::size_t samples) {
    const features::LogMelSpec& spec = model_.front_end;
    const int frames = spec.frames(planned_samples(spec, segment_, samples));
    if (const auto known = by_frames_.find(frames); known != by_frames_.end()) return known->second;
    BITTERN_ASSIGN_OR_RETURN(const graph::Network network, model_.network.with_time(frames));
    std::vector<double> shares;
    for (const graph::ExitCounts& exit : graph::count(network).exits) shares.push_back(exit.share);
    return by_frames_.emplace(frames, std::move(shares)).first->second;
  }

 private:
  const model::Model& model_;
  runtime::Segment segment_;
  std::map<int, std::vector<double>> by_frames_;
};

Error named(const Error& error, std::span<const std::string> names, std::size_t clip) {
  const std::string name = clip < names.size() ? names[clip] : fmt::format("clip {}", clip + 1);
  return {error.code, fmt::format("{}: {}", name, error.message)};
}

struct Work {
  Work(std::span<const std::vector<float>> of, Collected& into) : clips(of), result(into) {}

  std::span<const std::vector<float>> clips;
  Collected& result;
  std::atomic<std::size_t> next = 0;
  std::atomic<std::size_t> done = 0;
  std::atomic<bool> stop = false;
  std::mutex mutex;
  std::condition_variable changed;
  int running = 0;               // under mutex
  std::size_t failed_clip = 0;   // under mutex
  std::optional<Error> failure;  // under mutex

  void fail(std::size_t clip, Error error) {
    const std::lock_guard lock(mutex);
    if (!failure || clip < failed_clip) {
      failed_clip = clip;
      failure = std::move(error);
    }
    stop = true;
  }
};

void run_clips(Work& work, runtime::Session& session) {
  const std::size_t row = work.result.exits * work.result.classes;
  while (!work.stop) {
    // Indices are handed out in order, so every clip before a failed one is at least begun: the first failure
    // is the same for any number of threads.
    const std::size_t clip = work.next++;
    if (clip >= work.clips.size()) return;
    const Status status =
        session.logits(work.clips[clip], std::span(work.result.logits).subspan(clip * row, row));
    if (!status.ok()) work.fail(clip, status.error());
    ++work.done;
  }
}

}  // namespace

Expected<Collected> collect(const std::shared_ptr<const model::Model>& model,
                            std::span<const std::vector<float>> clips, const CollectOptions& options) {
  Collected result;
  result.clips = clips.size();
  result.exits = static_cast<std::size_t>(model->network.exit_count());
  result.classes = static_cast<std::size_t>(model->network.classes());
  result.logits.resize(result.clips * result.exits * result.classes);
  result.shares.reserve(result.clips * result.exits);
  Shares shares(*model, options.session.segment);
  for (std::size_t clip = 0; clip < clips.size(); ++clip) {
    const auto of_clip = shares.of(clips[clip].size());
    if (!of_clip.ok()) return named(of_clip.error(), options.names, clip);
    result.shares.insert(result.shares.end(), of_clip->begin(), of_clip->end());
  }

  std::vector<runtime::Session> sessions;
  const auto wanted = std::min(static_cast<std::size_t>(std::max(options.threads, 1)), clips.size());
  for (std::size_t i = 0; i < wanted; ++i) {
    BITTERN_ASSIGN_OR_RETURN(runtime::Session session, runtime::Session::create(model, options.session));
    sessions.push_back(std::move(session));
  }

  Work work(clips, result);
  work.running = static_cast<int>(sessions.size());
  std::vector<std::jthread> threads;
  threads.reserve(sessions.size());
  for (runtime::Session& session : sessions) {
    threads.emplace_back([&work, &session] {
      run_clips(work, session);
      const std::lock_guard lock(work.mutex);
      --work.running;
      work.changed.notify_one();
    });
  }
  bool cancelled = false;
  {
    std::unique_lock lock(work.mutex);
    while (work.running > 0) {
      work.changed.wait_for(lock, std::chrono::milliseconds(50));
      if (options.progress && !cancelled && !options.progress(work.done, clips.size())) {
        cancelled = true;
        work.stop = true;
      }
    }
  }
  threads.clear();
  if (work.failure) return named(*work.failure, options.names, work.failed_clip);
  if (cancelled) return Error{ErrorCode::kCancelled, "interrupted"};
  return result;
}

}  // namespace bittern::evaluation
