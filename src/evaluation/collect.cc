#include "evaluation/collect.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "core/in_order.h"
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

  const std::size_t row = result.exits * result.classes;
  const auto run = [&](std::size_t thread, std::size_t clip) {
    return sessions[thread].logits(clips[clip], std::span(result.logits).subspan(clip * row, row));
  };
  const auto take = [&](std::size_t clip, const Status& status) -> Status {
    if (!status.ok()) return named(status.error(), options.names, clip);
    if (options.progress && !options.progress(clip + 1, clips.size()))
      return Error{ErrorCode::kCancelled, "interrupted"};
    return {};
  };
  BITTERN_RETURN_IF_ERROR(in_order(static_cast<int>(wanted), clips.size(), run, take));
  return result;
}

}  // namespace bittern::evaluation
