// What is to be trained and compared: networks, tasks, seeds, joint exits against single ones. One JSON file.
//
// {
//   "title": "...",
//   "tasks":    [{"name": "words", "data": "FOLDER", "noise": "FOLDER", "paper": "Speech Commands"}, ...],
//   "networks": [{"architecture": "quicknet", "paper": "QuickNet", "seeds": [0, 1, 2]}, ...],
//   "single_exits": true,
//   "thresholds": [0.1, 0.5, 1.0],
//   "train": {"epochs": 30, ...}
// }
//
// Folders are relative to a root that is given beside the file. noise and paper may be missing; `paper` names
// the row of the paper's tables that is shown beside. single_exits: each network is also trained once for
// each exit, cut behind it. thresholds: of the entropy rule, nats; 0.5, which figure 5 shows, must be among
// them. train: options of `bittern train` without their dashes; true for a switch, a list of texts for an
// option that is given several times (teacher, whose files are relative to the working folder).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/status.h"
#include "datasets/dataset.h"
#include "graph/network.h"

namespace bittern::reproduce {

// Figures that show one threshold show this one, as the paper does.
inline constexpr float kShownThreshold = 0.5F;

struct Task {
  std::string name;
  std::filesystem::path data;
  std::filesystem::path noise;  // empty: the data set's own
  std::string paper;            // empty: no such row
};

struct Network {
  std::string architecture;
  std::string paper;
  std::vector<std::uint64_t> seeds;
  int exits = 0;
};

// One training.
struct Run {
  std::size_t task = 0;     // index into Experiment::tasks
  std::size_t network = 0;  // index into Experiment::networks
  int single_exit = 0;      // from 1; 0: all exits jointly
  std::uint64_t seed = 0;
};

struct Experiment {
  std::string title;
  std::vector<Task> tasks;
  std::vector<Network> networks;
  bool single_exits = false;
  std::vector<float> thresholds;
  int epochs = 0;
  std::string placement;
  graph::ExitPool pool = graph::ExitPool::kTime;
  std::optional<graph::ExitDense> dense;  // of the exits; nullopt: each architecture's own
  // Further options of `bittern train`, as they stand on its command line.
  std::vector<std::string> train_options;
  datasets::ScanOptions scan;     // how the tasks' folders are read, but for the seed
  nlohmann::ordered_json source;  // the file
  // The recipe that `bittern train` makes of a command line, the program first: whoever knows its options
  // sets this. Null: nothing is compared with it, nor told of it.
  std::function<Expected<nlohmann::ordered_json>(const std::vector<std::string>& command)> recipe_of;

  // In the order in which they are run: joint trainings of the first seed first, so that whatever is there is
  // a whole picture of something.
  std::vector<Run> runs() const;
  std::string name(const Run& run) const;
};

// "speech-commands-12/quicknet/joint/seed-0": a folder, and what a person is shown.
std::string run_name(const std::string& task, const std::string& architecture, std::uint64_t single_exit,
                     std::uint64_t seed);

// Errors name the key that is missing, unknown or of the wrong kind.
Expected<Experiment> read_experiment(const std::filesystem::path& file, const std::filesystem::path& root);

}  // namespace bittern::reproduce
