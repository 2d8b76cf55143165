// What the end-to-end tests share: the program, a model, real recordings, and what a good failure looks like.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "audio/audio_files.h"
#include "audio/temp_folder.h"
#include "end_to_end/process.h"
#include "evaluation/varied_model.h"
#include "model/file.h"
#include "runtime/self_test.h"

namespace bittern::test {

inline const std::string kSamples = std::string(BITTERN_SOURCE_DIR) + "/samples/speech-commands-12";
inline const std::vector<std::string> kWords{"_silence_", "_unknown_", "down",  "go",   "left", "no",
                                             "off",       "on",        "right", "stop", "up",   "yes"};

// `bittern` with these arguments.
inline Finished bittern(std::vector<std::string> arguments, Start start = {}) {
  arguments.insert(arguments.begin(), BITTERN_PROGRAM);
  start.arguments = std::move(arguments);
  return run(start);
}

// A command line for sh, in which $BITTERN is the program.
inline Finished shell(const std::string& line) {
  return run({.arguments = {"sh", "-c", line}, .environment = {std::string("BITTERN=") + BITTERN_PROGRAM}});
}

inline std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> list;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    list.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return list;
}

// One line, from us, that says `what`; no more than that.
inline void expect_one_line(const Finished& finished, const std::string& what) {
  EXPECT_EQ(finished.signal, 0);
  const std::vector<std::string> said = lines(finished.err);
  ASSERT_EQ(said.size(), 1U) << finished.err;
  EXPECT_TRUE(said[0].starts_with("bittern: ")) << finished.err;
  EXPECT_NE(said[0].find(what), std::string::npos) << finished.err;
}

inline void expect_failure(const Finished& finished, const std::string& what) {
  EXPECT_EQ(finished.status, 1);
  expect_one_line(finished, what);
}

inline void expect_wrong_usage(const Finished& finished, const std::string& what) {
  EXPECT_EQ(finished.status, 2);
  EXPECT_EQ(finished.out, "");
  expect_one_line(finished, what);
  EXPECT_NE(finished.err.find("--help"), std::string::npos) << finished.err;
}

inline std::vector<nlohmann::json> json_lines(const std::string& text) {
  std::vector<nlohmann::json> objects;
  for (const std::string& line : lines(text)) objects.push_back(nlohmann::json::parse(line));
  return objects;
}

// A model of a few kilobytes for the twelve words of the samples, whose answers differ from clip to clip.
class CommandLine : public testing::Test {
 protected:
  CommandLine() {
    const auto clips = evaluation::synthetic_clips(12, 16000);
    auto tiny = evaluation::varied_model(model::tiny_network(12), 3, clips);
    tiny->labels = kWords;
    tiny->self_test = runtime::compute_self_test(tiny).value();
    model_data_ = tiny;
    model_ = (folder_ / "tiny.bittern").string();
    EXPECT_TRUE(model::save(*tiny, model_).ok());
  }

  std::string path(std::string_view name) const { return (folder_ / name).string(); }
  // What `bittern evaluate` writes of the model.
  nlohmann::json report(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"evaluate", model_, "--json", path("report.json")});
    const Finished finished = bittern(std::move(arguments));
    EXPECT_EQ(finished.status, 0) << finished.err;
    return nlohmann::json::parse(read_bytes(path("report.json")));
  }
  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(std::filesystem::directory_iterator(folder_.path()),
                                                  std::filesystem::directory_iterator()));
  }

  TempFolder folder_;
  std::string model_;
  std::shared_ptr<const model::Model> model_data_;
};

}  // namespace bittern::test
