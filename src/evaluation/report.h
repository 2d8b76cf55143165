// Everything an evaluation found. JSON is its form on disk; terminal tables are drawn from the same struct.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "evaluation/calibration.h"
#include "evaluation/interval.h"
#include "evaluation/metrics.h"

namespace bittern::evaluation {

// One exit alone: every clip leaves there.
struct ExitRow {
  int exit = 0;       // from 1
  std::string layer;  // that it reads
  Proportion accuracy;
  double macs_share = 0;
  std::optional<double> time_us;
  float temperature = 1;                                 // of the model
  double ece = 0;                                        // expected calibration error with it (calibration.h)
  double ece_without = 0;                                // and with temperature 1
  std::vector<ReliabilityBin> reliability = {};          // with the temperature
  std::vector<ReliabilityBin> reliability_without = {};  // and with temperature 1
};

struct RuleRow {
  std::string rule;
  float threshold = 0;
  Outcome outcome;
  std::optional<double> time_us;
};

// One of the model's operating points.
struct PointRow {
  std::string name;
  std::string rule;
  std::vector<float> thresholds;
  std::string promise;  // under `only` that it does not hold
  Outcome outcome;
  std::optional<double> time_us;
  Exchange exchange = {};  // with the last exit

  // How much less accurate than the last exit; 0 without clips.
  double accuracy_loss() const;
};

// One clip under the chosen policy.
struct ClipRow {
  std::string file;
  std::string truth;
  std::string label;
  int exit = 0;
  float entropy = 0;  // nats
  double macs_share = 0;
  std::optional<double> time_us;
  std::string speaker = {};  // "" where not known
};

struct Report {
  std::string model;  // as it was named on the command line
  std::string architecture;
  std::string data;  // the folder
  std::string layout;
  std::string data_digest;
  std::string split;
  std::string segment;
  std::vector<std::string> labels;  // the model's, in its order
  std::vector<std::string> only;    // the labels that answers were restricted to; empty: all
  std::size_t clips = 0;
  std::size_t skipped = 0;          // unreadable
  std::size_t left_out = 0;         // of labels that `only` leaves out
  std::size_t speakers = 0;         // known ones: groups of the intervals' bootstrap
  std::size_t unknown_speaker = 0;  // clips whose speaker is not known: each a group of its own
  std::vector<ExitRow> exits;
  std::vector<RuleRow> rules;
  std::vector<PointRow> operating_points;
  // At the last exit: the whole network's answer.
  std::vector<Proportion> per_class;                // [labels]
  std::vector<std::vector<std::size_t>> confusion;  // [truth][answer]
  std::string policy;                               // of clip_rows, in words
  std::vector<ClipRow> clip_rows;                   // empty unless asked for

  // Indices of the labels that clips and answers can have: those of `only`, or all.
  std::vector<std::size_t> possible_labels() const;
};

// {"value", "low", "high", "clips"}; value is null without clips.
nlohmann::ordered_json to_json(const Proportion& proportion);
nlohmann::ordered_json to_json(const Report& report);

// The text to store: indented by two, names that are not UTF-8 mended, a final newline.
std::string json_text(const Report& report);

}  // namespace bittern::evaluation
