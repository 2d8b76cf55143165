// Test recordings as a page can play them.
#pragma once

#include <map>
#include <string>

#include "cli/report_file.h"
#include "datasets/dataset.h"
#include "reproduce/experiment.h"

namespace bittern::cli {

// By the names that results have. Only clips of the tasks' data sets are ever read, whatever a name says.
class TestRecordings {
 public:
  explicit TestRecordings(const reproduce::Experiment& experiment) : experiment_(experiment) {}

  // Empty where the task or the clip is not there, or cannot be read.
  Sound of(const std::string& task, const std::string& name);

 private:
  using Clips = std::map<std::string, datasets::Clip>;
  const Clips& clips_of(const reproduce::Task& task);

  const reproduce::Experiment& experiment_;
  std::map<std::string, Clips> clips_;  // by task
};

}  // namespace bittern::cli
