// Times training steps and shows where their time goes.
#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "graph/architecture.h"
#include "training/binary_gradients.h"
#include "training/precision.h"
#include "training/step_split.h"
#include "training/steps.h"
#include "training/threads.h"

namespace bittern::training {
namespace {

constexpr int kClasses = 12;
constexpr int kWarmUp = 3;

struct Options {
  std::string architecture = "quicknet";
  int batch = 128;
  int threads = 2;
  int steps = 12;
  std::string precision = "auto";
  bool plain = false;
  bool json = false;
};

double peak_mib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;  // Linux counts KiB
}

// Seconds of each step, sorted.
struct Timing {
  std::vector<double> seconds;
  std::map<std::string, double> split;  // of one step, the mean
};

void time_step(Steps& steps, Timing& timing) {
  const auto start = std::chrono::steady_clock::now();
  steps.step();
  timing.seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
}

Timing measure(Steps& steps, int count) {
  for (int i = 0; i < kWarmUp; ++i) steps.step();
  Timing timing;
  const StepSplit split;
  for (int i = 0; i < count; ++i) time_step(steps, timing);
  timing.split = split.seconds();
  for (auto& [name, seconds] : timing.split) seconds /= count;
  std::sort(timing.seconds.begin(), timing.seconds.end());
  return timing;
}

nlohmann::ordered_json to_json(const Options& options, const Timing& timing) {
  const double median = timing.seconds[timing.seconds.size() / 2];
  nlohmann::ordered_json json = {
      {"architecture", options.architecture},
      {"kind", options.plain ? "plain libtorch fp32" : "bittern " + options.precision},
      {"batch", options.batch},
      {"threads", options.threads},
      {"steps", options.steps},
      {"samples_per_s", options.batch / median},
      {"step_ms",
       {{"min", timing.seconds.front() * 1e3},
        {"median", median * 1e3},
        {"max", timing.seconds.back() * 1e3}}},
      {"peak_mib", peak_mib()}};
  double rest = 0;
  for (const double seconds : timing.seconds) rest += seconds / options.steps;
  for (const auto& [name, seconds] : timing.split) {
    json["split_ms"][name] = seconds * 1e3;
    rest -= seconds;
  }
  json["split_ms"]["rest"] = rest * 1e3;
  return json;
}

void print(const nlohmann::ordered_json& json) {
  fmt::print(
      "{}, {}, batch {}, {} threads: {:.0f} samples/s; a step {:.0f} ms (least {:.0f}, most {:.0f}); "
      "peak {:.0f} MiB\n",
      json["architecture"].get<std::string>(), json["kind"].get<std::string>(), json["batch"].get<int>(),
      json["threads"].get<int>(), json["samples_per_s"].get<double>(),
      json["step_ms"]["median"].get<double>(), json["step_ms"]["min"].get<double>(),
      json["step_ms"]["max"].get<double>(), json["peak_mib"].get<double>());
  std::vector<std::pair<double, std::string>> rows;
  for (const auto& [name, ms] : json["split_ms"].items()) rows.emplace_back(ms.get<double>(), name);
  std::sort(rows.rbegin(), rows.rend());
  for (const auto& [ms, name] : rows) fmt::print("  {:8.2f} ms  {}\n", ms, name);
}

int run(int argc, char** argv) {
  Options options;
  CLI::App app("Times training steps on random clips and shows where their time goes.");
  app.add_option("--architecture", options.architecture, "The network, with five exits")
      ->capture_default_str();
  app.add_option("--batch", options.batch)->check(CLI::Range(2, 65536))->capture_default_str();
  app.add_option("--threads", options.threads)->check(CLI::Range(1, 1024))->capture_default_str();
  app.add_option("--steps", options.steps, "After a few to warm up")
      ->check(CLI::Range(1, 100000))
      ->capture_default_str();
  app.add_option("--precision", options.precision)
      ->check(CLI::IsMember({"auto", "fp32", "bf16", "int16"}))
      ->capture_default_str();
  app.add_flag("--plain", options.plain, "The same network written plainly in libtorch, float32");
  app.add_flag("--json", options.json, "One line of JSON");
  CLI11_PARSE(app, argc, argv);

  graph::BuildOptions build;
  build.architecture = options.architecture;
  build.classes = kClasses;
  const Expected<graph::Network> network = graph::build(build);
  if (!network.ok()) throw std::runtime_error(network.error().message);
  Recipe recipe;
  recipe.architecture = options.architecture;
  recipe.batch = options.batch;
  recipe.threads = options.threads;
  recipe.precision = *parse_precision(options.precision);
  if (recipe.precision == Precision::kAuto) recipe.precision = supported_precisions().front();
  if (!is_supported(recipe.precision)) {
    throw std::runtime_error(
        fmt::format("--precision {}: this processor or build has no instructions for it", options.precision));
  }
  set_threads(options.threads);
  const std::unique_ptr<Steps> steps =
      options.plain ? plain_steps(*network, recipe) : bittern_steps(*network, recipe);
  const nlohmann::ordered_json json = to_json(options, measure(*steps, options.steps));
  if (options.json) {
    fmt::print("{}\n", json.dump());
  } else {
    print(json);
  }
  return 0;
}

}  // namespace
}  // namespace bittern::training

int main(int argc, char** argv) {
  try {
    return bittern::training::run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "bittern_training_bench: {}\n", error.what());
    return 1;
  }
}
