// A model on labelled clips: from samples to a Report.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "core/status.h"
#include "evaluation/report.h"
#include "exits/rule.h"
#include "model/model.h"
#include "runtime/session.h"

namespace bittern::evaluation {

struct LabelledClips {
  std::vector<std::vector<float>> samples;  // mono, at the model's rate
  std::vector<int> labels;                  // index into the model's labels
  std::vector<std::string> names;
  std::vector<std::string> speakers;  // "" where not known
};

struct EvaluateOptions {
  runtime::SessionOptions session;
  int threads = 1;
  std::vector<std::uint8_t> only;  // mask over the model's labels; empty: all
  bool per_clip = false;           // fill Report::clip_rows, under `policy`
  exits::Policy policy;            // of a rule with one threshold at every exit: gets its row among the rules
  bool timing = false;             // fill the time_us fields
  // Called now and then with what is being done; false stops the work with kCancelled. May be null.
  std::function<bool(const char* what, std::size_t done, std::size_t total)> progress;
};

// The fields that describe where model and data came from are left to the caller. kInvalidArgument without
// clips.
Expected<Report> evaluate(const std::shared_ptr<const model::Model>& model, const LabelledClips& clips,
                          const EvaluateOptions& options);

}  // namespace bittern::evaluation
