// Every exit's logits for every clip, computed once; all numbers of an evaluation are derived from them.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/status.h"
#include "model/model.h"
#include "runtime/session.h"

namespace bittern::evaluation {

struct Collected {
  std::size_t clips = 0;
  std::size_t exits = 0;
  std::size_t classes = 0;
  std::vector<float> logits;   // [clips, exits, classes]
  std::vector<double> shares;  // [clips, exits]: share of the network's MACs up to each exit

  std::span<const float> logits_of(std::size_t clip, std::size_t exit) const {
    return std::span(logits).subspan((clip * exits + exit) * classes, classes);
  }
  std::span<const double> shares_of(std::size_t clip) const {
    return std::span(shares).subspan(clip * exits, exits);
  }
};

struct CollectOptions {
  runtime::SessionOptions session;
  int threads = 1;
  std::span<const std::string> names;  // [clips], for errors
  // Called on the calling thread after each clip; false stops the work with kCancelled. May be null.
  std::function<bool(std::size_t done, std::size_t total)> progress;
};

// One session per thread; each clip's place in the result is its own, so the result does not depend on the
// number of threads. Of clips that cannot be run, the first one's error is returned.
Expected<Collected> collect(const std::shared_ptr<const model::Model>& model,
                            std::span<const std::vector<float>> clips, const CollectOptions& options);

}  // namespace bittern::evaluation
