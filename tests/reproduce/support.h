// A small experiment, and what a training leaves in its folder.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "reproduce/experiment.h"
#include "reproduce/runner.h"

namespace bittern::reproduce {

class InFolder : public ::testing::Test {
 protected:
  InFolder()
      : folder_(std::filesystem::temp_directory_path() /
                ("bittern_reproduce_" + std::to_string(::getpid()) + "_" +
                 ::testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
  }
  ~InFolder() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path write(const std::string& name, const std::string& text) const {
    std::filesystem::path file = folder_ / name;
    std::filesystem::create_directories(file.parent_path());
    std::ofstream(file) << text;
    return file;
  }

  // Two tasks, two networks, one of them with two seeds; each exit alone too.
  static std::string text() {
    return R"({
      "title": "Trial",
      "tasks": [{"name": "words", "data": "a/words", "noise": "noise", "paper": "Speech Commands"},
                {"name": "tongues", "data": "b"}],
      "networks": [{"architecture": "quicknet", "paper": "QuickNet", "seeds": [3, 4]},
                   {"architecture": "quicknet-small", "seeds": [0]}],
      "single_exits": true,
      "thresholds": [0.1, 0.5],
      "train": {"epochs": 2, "exit-pool": "global", "no-noise": true, "no-shift": false, "batch": 64}
    })";
  }
  Experiment experiment() const {
    auto read = read_experiment(write("experiment.json", text()), "/root");
    EXPECT_TRUE(read.ok()) << (read.ok() ? "" : read.error().message);
    return read.ok() ? *read : Experiment();
  }
  Folder out() const { return {folder_ / "out"}; }

  void pretend(const Experiment& experiment, const reproduce::Run& run, int epochs,
               double seconds_each) const {
    std::string metrics;
    for (int epoch = 1; epoch <= epochs; ++epoch)
      metrics +=
          R"({"epoch":)" + std::to_string(epoch) + R"(,"time_s":)" + std::to_string(seconds_each) + "}\n";
    const std::string name = experiment.name(run);
    write("out/runs/" + name + "/metrics.jsonl", metrics);
    if (epochs >= experiment.epochs) write("out/runs/" + name + "/best.bittern", "");
  }

  std::filesystem::path folder_;
};

}  // namespace bittern::reproduce
