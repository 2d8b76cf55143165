#include "report/reproduction_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <utility>
#include <vector>

#include "reproduce/paper.h"

namespace bittern::report {
namespace {

using Json = nlohmann::ordered_json;

// Figures that show one threshold show this one, as the paper does.
constexpr double kThreshold = 0.5;

struct Mean {
  double value = 0;
  double deviation = 0;  // between seeds; of one seed 0
  std::size_t seeds = 0;
};

Mean mean_of(const std::vector<double>& values) {
  Mean mean;
  mean.seeds = values.size();
  for (const double value : values) mean.value += value / static_cast<double>(values.size());
  for (const double value : values) mean.deviation += (value - mean.value) * (value - mean.value);
  if (values.size() > 1) mean.deviation = std::sqrt(mean.deviation / static_cast<double>(values.size() - 1));
  return mean;
}

std::string percent(const Mean& mean) {
  if (mean.seeds == 0) return "-";
  if (mean.seeds == 1) return fmt::format("{:.1f}", 100 * mean.value);
  return fmt::format("{:.1f} ± {:.1f}", 100 * mean.value, 100 * mean.deviation);
}

std::string time_ms(const Json& exit) {
  return exit.contains("time_us") ? fmt::format("{:.2f}", exit["time_us"].get<double>() / 1000) : "-";
}

class Reproduction {
 public:
  Reproduction(const Json& results, const Recording& recording)
      : results_(results),
        recording_(recording),
        page_(results["title"].get<std::string>(),
              fmt::format("{} of {} trainings, {} epochs each, exits at \"{}\"",
                          results["finished"].get<int>(), results["planned"].get<int>(),
                          results["epochs"].get<int>(), results["placement"].get<std::string>())) {}

  Page page() {
    page_.paragraph(
        "Beside our numbers stand those of A. Saeed, Binary Early-Exit Network for Adaptive Inference on "
        "Low-Resource Devices, Interspeech 2022. The data differ: the paper trains on the full data sets, "
        "and "
        "its times are of a Snapdragon 855 with the front end inside, ours of this machine without it. So "
        "compare shapes and orders, not levels.");
    add_costs();
    for (const Json& task : results_["tasks"]) {
      page_.heading(task["name"].get<std::string>());
      page_.paragraph(fmt::format("{} test clips, {} classes, {} known speakers.{}", task["clips"].get<int>(),
                                  task["labels"].size(), task["speakers"].get<int>(),
                                  task["paper"] == "" ? ""
                                                      : fmt::format(" In the paper's place of {}.",
                                                                    task["paper"].get<std::string>())));
      add_accuracies(task);
      add_thresholds(task);
      add_histograms(task);
      add_trade(task);
      add_classes(task);
      add_difficulty(task);
    }
    return std::move(page_);
  }

 private:
  // Joint runs (single_exit 0) or those cut behind an exit.
  std::vector<const Json*> runs(const Json& task, const Json& network, int single_exit) const {
    std::vector<const Json*> found;
    for (const Json& run : results_["runs"]) {
      if (run["task"] == task["name"] && run["architecture"] == network["architecture"] &&
          run["single_exit"] == single_exit) {
        found.push_back(&run);
      }
    }
    return found;
  }

  // Over seeds; exit from 1.
  Mean accuracy(const Json& task, const Json& network, int exit, bool alone) const {
    std::vector<double> values;
    for (const Json* run : runs(task, network, alone ? exit : 0)) {
      for (const Json& row : (*run)["exits"])
        if (row["exit"] == exit) values.push_back(row["accuracy"]["value"].get<double>());
    }
    return mean_of(values);
  }

  static std::string name(const Json& network) { return network["architecture"].get<std::string>(); }
  static int exits(const Json& network) { return static_cast<int>(network["exits"].size()); }

  void add_costs() {
    page_.heading("Table 1: size and time");
    Table table{{"network", "parameters", "packed MiB", "float32 MiB"}, {}};
    int most = 0;
    for (const Json& network : results_["networks"]) most = std::max(most, exits(network));
    for (int exit = 1; exit <= most; ++exit) table.header.push_back(fmt::format("E{} ms", exit));
    for (const Json& network : results_["networks"]) {
      std::vector<Cell> row{name(network), fmt::format("{:.2f} M", network["parameters"].get<double>() / 1e6),
                            fmt::format("{:.2f}", network["packed_mib"].get<double>()),
                            fmt::format("{:.2f}", network["float32_mib"].get<double>())};
      for (const Json& exit : network["exits"]) row.emplace_back(time_ms(exit));
      table.rows.push_back(std::move(row));
      if (const auto paper = reproduce::paper_cost(network["paper"].get<std::string>())) {
        std::vector<Cell> beside{
            fmt::format("  paper: {}", paper->network), fmt::format("{:.2f} M", paper->parameters_millions),
            fmt::format("{:.2f}", paper->packed_mib), fmt::format("{:.2f}", paper->float32_mib)};
        for (const double time : paper->time_ms) beside.emplace_back(fmt::format("{:.2f}", time));
        table.rows.push_back(std::move(beside));
      }
    }
    page_.table(table);
    page_.paragraph("Milliseconds from features to the decision at each exit, one core of this machine.");
  }

  void add_accuracies(const Json& task) {
    Table table{{"network"}, {}};
    int most = 0;
    for (const Json& network : results_["networks"]) most = std::max(most, exits(network));
    for (int exit = 1; exit <= most; ++exit) {
      table.header.push_back(fmt::format("E{} alone", exit));
      table.header.push_back(fmt::format("E{} jointly", exit));
    }
    for (const Json& network : results_["networks"]) {
      std::vector<Cell> row{name(network)};
      for (int exit = 1; exit <= exits(network); ++exit) {
        row.emplace_back(percent(accuracy(task, network, exit, true)));
        row.emplace_back(percent(accuracy(task, network, exit, false)));
      }
      table.rows.push_back(std::move(row));
      const auto paper =
          reproduce::paper_accuracy(task["paper"].get<std::string>(), network["paper"].get<std::string>());
      if (!paper) continue;
      std::vector<Cell> beside{"  paper"};
      for (std::size_t exit = 0; exit < paper->alone.size(); ++exit) {
        beside.emplace_back(fmt::format("{:.1f}", paper->alone[exit]));
        beside.emplace_back(fmt::format("{:.1f}", paper->jointly[exit]));
      }
      table.rows.push_back(std::move(beside));
    }
    page_.paragraph(
        "Table 2: accuracy in per cent of each exit, its network trained alone and all exits "
        "jointly; mean and standard deviation over seeds where there are several.");
    page_.table(table);
  }

  // Over the seeds of joint runs, by threshold.
  std::map<double, Mean> over_thresholds(const Json& task, const Json& network,
                                         double (*value)(const Json& rule)) const {
    std::map<double, std::vector<double>> values;
    for (const Json* run : runs(task, network, 0))
      for (const Json& rule : (*run)["rules"]) values[rule["threshold"].get<double>()].push_back(value(rule));
    std::map<double, Mean> means;
    for (const auto& [threshold, of_threshold] : values) means[threshold] = mean_of(of_threshold);
    return means;
  }

  static double accuracy_of(const Json& rule) { return rule["accuracy"]["value"].get<double>(); }
  static double average_exit_of(const Json& rule) { return rule["average_exit"].get<double>(); }

  std::string chart_name(const char* figure, const Json& task) const {
    return fmt::format("{}-{}", figure, task["name"].get<std::string>());
  }

  void add_thresholds(const Json& task) {
    std::vector<Line> lines;
    for (const Json& network : results_["networks"]) {
      Line line{name(network), {}, {}, false};
      bool several = false;
      for (const auto& [threshold, mean] : over_thresholds(task, network, accuracy_of)) {
        line.points.push_back({threshold, 100 * mean.value});
        line.intervals.push_back({100 * (mean.value - mean.deviation), 100 * (mean.value + mean.deviation)});
        several = several || mean.seeds > 1;
      }
      if (!several) line.intervals.clear();
      if (!line.points.empty()) lines.push_back(std::move(line));
    }
    if (lines.empty()) return;
    page_.chart(
        line_chart(chart_name("figure-2", task), "Figure 2: accuracy by entropy threshold",
                   {"entropy threshold, nats", false, true, {}}, {"accuracy", true, false, {}}, lines),
        "Mean over seeds; the strokes, where there are several, are one standard deviation each way.");
  }

  void add_histograms(const Json& task) {
    for (const Json& network : results_["networks"]) {
      const auto joint = runs(task, network, 0);
      if (joint.empty()) continue;
      std::vector<std::string> thresholds;
      std::vector<Stack> stacks = exit_stacks(network["exits"].size());
      for (const Json& rule : (*joint.front())["rules"]) {
        thresholds.push_back(fmt::format("{}", rule["threshold"].get<double>()));
        for (std::size_t e = 0; e < stacks.size(); ++e)
          stacks[e].values.push_back(rule["histogram"][e].get<double>());
      }
      page_.chart(stacked_bars(chart_name("figure-3", task) + "-" + name(network),
                               fmt::format("Figure 3: where clips leave, {}", name(network)),
                               {"entropy threshold, nats", false, true, {}}, {"clips", false, true, {}},
                               thresholds, stacks),
                  "First seed.");
    }
  }

  void add_trade(const Json& task) {
    std::vector<Line> lines;
    for (const Json& network : results_["networks"]) {
      Line line{name(network), {}, {}, false};
      const auto accuracies = over_thresholds(task, network, accuracy_of);
      for (const auto& [threshold, exit] : over_thresholds(task, network, average_exit_of))
        line.points.push_back({exit.value, 100 * accuracies.at(threshold).value});
      std::sort(line.points.begin(), line.points.end());
      if (!line.points.empty()) lines.push_back(std::move(line));
    }
    const std::size_t joint = lines.size();
    for (const Json& network : results_["networks"]) {
      const Mean alone = accuracy(task, network, exits(network), true);
      if (alone.seeds == 0) continue;
      lines.push_back({name(network) + " alone",
                       {{1, 100 * alone.value}, {static_cast<double>(exits(network)), 100 * alone.value}},
                       {},
                       true});
    }
    if (joint == 0) return;
    page_.chart(line_chart(chart_name("figure-4", task), "Figure 4: accuracy against average exit",
                           {"average exit", false, false, {}}, {"accuracy", true, false, {}}, lines),
                "Each point is a threshold. Dashed: the last exit of the network trained for it alone.");
  }

  void add_classes(const Json& task) {
    for (const Json& network : results_["networks"]) {
      const auto joint = runs(task, network, 0);
      if (joint.empty()) continue;
      for (const Json& rule : (*joint.front())["rules"]) {
        if (rule["threshold"] != kThreshold) continue;
        std::vector<Stack> stacks = exit_stacks(network["exits"].size());
        std::vector<std::string> classes;
        for (std::size_t c = 0; c < task["labels"].size(); ++c) {
          double clips = 0;
          for (const Json& count : rule["histogram_per_class"][c]) clips += count.get<double>();
          if (clips == 0) continue;
          classes.push_back(task["labels"][c].get<std::string>());
          for (std::size_t e = 0; e < stacks.size(); ++e)
            stacks[e].values.push_back(100 * rule["histogram_per_class"][c][e].get<double>() / clips);
        }
        page_.chart(stacked_bars(chart_name("figure-5", task) + "-" + name(network),
                                 fmt::format("Figure 5: where each class leaves, {}", name(network)),
                                 {"class", false, true, {}}, {"share of its clips", true, true, 100}, classes,
                                 stacks),
                    fmt::format("Threshold {}, first seed.", kThreshold));
      }
    }
  }

  // The clips that a network finds hardest, by the entropy of all exits together.
  void add_difficulty(const Json& task) {
    constexpr std::size_t kPerClass = 2;
    constexpr std::size_t kOverthought = 8;
    for (const Json& network : results_["networks"]) {
      const auto joint = runs(task, network, 0);
      if (joint.empty()) continue;
      std::map<std::string, std::vector<const Json*>> of_class;
      std::vector<const Json*> overthought;
      for (const Json& clip : (*joint.front())["clips"]) {
        of_class[clip["truth"].get<std::string>()].push_back(&clip);
        const Json& answers = clip["answers"];
        if (answers.back() != clip["truth"] &&
            std::find(answers.begin(), answers.end(), clip["truth"]) != answers.end()) {
          overthought.push_back(&clip);
        }
      }
      const auto hardness = [](const Json* clip) {
        double sum = 0;
        for (const Json& entropy : (*clip)["entropies"]) sum += entropy.get<double>();
        return sum;
      };
      const auto harder = [&](const Json* a, const Json* b) { return hardness(a) > hardness(b); };
      Table hardest = clip_table(network);
      for (auto& [label, clips] : of_class) {
        std::stable_sort(clips.begin(), clips.end(), harder);
        for (std::size_t i = 0; i < std::min(kPerClass, clips.size()); ++i)
          add_clip(hardest, task, *clips[i]);
      }
      page_.paragraph(
          fmt::format("{}: the hardest clips of each class, by the sum of all exits' entropies "
                      "(nats); first seed. Each cell: the exit's answer and its entropy.",
                      name(network)));
      page_.table(hardest);
      const std::size_t count = overthought.size();
      std::stable_sort(overthought.begin(), overthought.end(),
                       [&](const Json* a, const Json* b) { return harder(b, a); });
      overthought.resize(std::min(count, kOverthought));
      Table table = clip_table(network);
      for (const Json* clip : overthought) add_clip(table, task, *clip);
      page_.paragraph(fmt::format(
          "{} overthinks {} of {} clips: right at an early exit, wrong at the last.{}", name(network), count,
          (*joint.front())["clips"].size(), count > kOverthought ? " Those it was surest of:" : ""));
      if (count > 0) page_.table(table);
    }
  }

  static Table clip_table(const Json& network) {
    Table table{{"truth", "recording"}, {}};
    for (int exit = 1; exit <= exits(network); ++exit) table.header.push_back(fmt::format("exit {}", exit));
    return table;
  }

  void add_clip(Table& table, const Json& task, const Json& clip) const {
    const auto file = clip["file"].get<std::string>();
    Cell recording(file);
    if (recording_) recording.audio = recording_(task["name"].get<std::string>(), file);
    if (!recording.audio.empty()) recording.audio_type = audio_type(file);
    std::vector<Cell> row{clip["truth"].get<std::string>(), std::move(recording)};
    for (std::size_t exit = 0; exit < clip["answers"].size(); ++exit) {
      const bool wrong = clip["answers"][exit] != clip["truth"];
      Cell cell(fmt::format("{} {:.2f}", clip["answers"][exit].get<std::string>(),
                            clip["entropies"][exit].get<double>()));
      if (wrong) cell.shade = 0.4;
      row.push_back(std::move(cell));
    }
    table.rows.push_back(std::move(row));
  }

  static std::string audio_type(const std::string& file) {
    const std::string ending = file.substr(std::min(file.size(), file.rfind('.') + 1));
    return "audio/" + (ending == "mp3" ? "mpeg" : ending);
  }

  const Json& results_;
  const Recording& recording_;
  Page page_;
};

}  // namespace

Page reproduction_page(const Json& results, const Recording& recording) {
  return Reproduction(results, recording).page();
}

}  // namespace bittern::report
