#include "report/reproduction_figures.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string>
#include <utility>

#include "json/text.h"
#include "reproduce/experiment.h"
#include "reproduce/paper.h"

namespace bittern::report {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kPercent = 100;

std::array<double, 2> interval(const Mean& mean) { return {kPercent * mean.low, kPercent * mean.high}; }

// What the paper says of it; empty where it says nothing.
std::string findings(int figure, const Json& task) {
  const auto found = reproduce::paper_findings(figure, task["paper"].get<std::string>());
  if (found.empty()) return {};
  return fmt::format(" The paper (its figure {}) finds that {}.", figure, fmt::join(found, "; that "));
}

class Figures {
 public:
  Figures(const ReproductionData& data, const Json& task, Page& page)
      : data_(data), task_(task), page_(page) {}

  void add() {
    add_thresholds();
    add_histograms();
    add_trade();
    add_classes();
  }

 private:
  std::string chart_name(const char* figure) const {
    return fmt::format("{}-{}", figure, task_["name"].get<std::string>());
  }

  // The task, and the network where it is of one: a figure may stand alone.
  std::string title(const char* what, const Json* network = nullptr) const {
    return fmt::format("{}, {}{}", what, task_["name"].get<std::string>(),
                       network == nullptr ? "" : ", " + ReproductionData::name(*network));
  }

  // Ours, as every caption must say it.
  std::string basis() const {
    bool several = false;
    for (const Json& network : data_.networks())
      several = several || data_.runs(task_, network, 0).size() > 1;
    return fmt::format(
        "{} test clips; strokes are 95 % intervals{}. What differs from the paper stands at the top.",
        task_["clips"].get<int>(), several ? ", points means over seeds" : "");
  }

  void add_thresholds() {
    std::vector<Line> lines;
    double last = 0;
    for (std::size_t n = 0; n < data_.networks().size(); ++n) {
      const Json& network = data_.networks()[n];
      Line line{ReproductionData::name(network), {}, {}, false, n};
      for (const auto& [threshold, at] : data_.thresholds(task_, network)) {
        line.points.push_back({threshold, kPercent * at.accuracy.value});
        line.intervals.push_back(interval(at.accuracy));
        last = std::max(last, threshold);
      }
      if (!line.points.empty()) lines.push_back(std::move(line));
    }
    if (lines.empty()) return;
    // Side by side: at the points themselves they would hide each other.
    for (std::size_t i = 0; i < lines.size(); ++i)
      lines[i].stroke_shift =
          0.008 * last * (static_cast<double>(i) - static_cast<double>(lines.size() - 1) / 2);
    page_.chart(
        line_chart(chart_name("figure-2"), title("Figure 2: accuracy by entropy threshold"),
                   {"entropy threshold, nats", false, true, {}}, {"accuracy", true, false, {}}, lines),
        basis() + " The strokes of one threshold stand side by side." + findings(2, task_));
  }

  void add_histograms() {
    for (const Json& network : data_.networks()) {
      const auto joint = data_.runs(task_, network, 0);
      if (joint.empty()) continue;
      std::vector<std::string> thresholds;
      std::vector<Stack> stacks = exit_stacks(network["exits"].size());
      for (const Json& rule : (*joint.front())["rules"]) {
        thresholds.push_back(fmt::format("{}", rule["threshold"].get<double>()));
        for (std::size_t e = 0; e < stacks.size(); ++e)
          stacks[e].values.push_back(rule["histogram"][e].get<double>());
      }
      const bool shown = network["paper"] == "MeliusNet";
      page_.chart(stacked_bars(chart_name("figure-3") + "-" + ReproductionData::name(network),
                               title("Figure 3: where clips leave", &network),
                               {"entropy threshold, nats", false, true, {}}, {"clips", false, true, {}},
                               thresholds, stacks),
                  fmt::format("{} test clips, seed {}.{}", task_["clips"].get<int>(),
                              (*joint.front())["seed"].get<std::uint64_t>(),
                              shown ? findings(3, task_) : std::string()));
    }
  }

  void add_trade() {
    std::vector<Line> joint;
    std::vector<Line> alone;
    std::vector<std::string> papers;
    for (std::size_t n = 0; n < data_.networks().size(); ++n) {
      const Json& network = data_.networks()[n];
      Line line{ReproductionData::name(network), {}, {}, false, n};
      std::vector<AtThreshold> points;
      for (const auto& [threshold, at] : data_.thresholds(task_, network)) points.push_back(at);
      std::sort(points.begin(), points.end(),
                [](const AtThreshold& a, const AtThreshold& b) { return a.average_exit < b.average_exit; });
      for (const AtThreshold& at : points) {
        line.points.push_back({at.average_exit, kPercent * at.accuracy.value});
        line.intervals.push_back(interval(at.accuracy));
      }
      if (!line.points.empty()) joint.push_back(std::move(line));
      const int exits = ReproductionData::exits(network);
      const Mean last = data_.accuracy(task_, network, exits, true);
      if (last.seeds == 0) continue;
      // From the right: the one interval, which holds all along, is drawn there.
      const double value = kPercent * last.value;
      alone.push_back({ReproductionData::name(network) + " alone",
                       {{static_cast<double>(exits), value}, {1, value}},
                       {interval(last)},
                       true,
                       n});
      const auto paper =
          reproduce::paper_accuracy(task_["paper"].get<std::string>(), network["paper"].get<std::string>());
      if (paper)
        papers.push_back(
            fmt::format("{} {:.1f} %", network["paper"].get<std::string>(), paper->alone.back()));
    }
    if (joint.empty()) return;
    for (std::size_t i = 0; i < alone.size(); ++i) alone[i].stroke_shift = -0.03 * static_cast<double>(i);
    std::string caption = "Each point is a threshold. " + basis();
    if (!alone.empty()) {
      caption +=
          " Dashed, in the network's colour: it alone, trained for its last exit only, its "
          "interval at the right end.";
    }
    if (!papers.empty())
      caption += fmt::format(" The paper's such lines stand at {}.", fmt::join(papers, ", "));
    joint.insert(joint.end(), alone.begin(), alone.end());
    page_.chart(line_chart(chart_name("figure-4"), title("Figure 4: accuracy against average exit"),
                           {"average exit", false, false, {}, 1}, {"accuracy", true, false, {}}, joint),
                caption + (data_.single_exits() ? findings(4, task_) : std::string()));
  }

  void add_classes() {
    const double threshold = json::shortest(reproduce::kShownThreshold);
    for (const Json& network : data_.networks()) {
      const auto joint = data_.runs(task_, network, 0);
      if (joint.empty()) continue;
      for (const Json& rule : (*joint.front())["rules"]) {
        if (rule["threshold"] != threshold) continue;
        std::vector<Stack> stacks = exit_stacks(network["exits"].size());
        std::vector<std::string> classes;
        for (std::size_t c = 0; c < task_["labels"].size(); ++c) {
          double clips = 0;
          for (const Json& count : rule["histogram_per_class"][c]) clips += count.get<double>();
          if (clips == 0) continue;
          classes.push_back(fmt::format("{}", task_["labels"][c].get<std::string>()));
          for (std::size_t e = 0; e < stacks.size(); ++e)
            stacks[e].values.push_back(kPercent * rule["histogram_per_class"][c][e].get<double>() / clips);
        }
        std::string said = findings(5, task_);
        if (said.empty()) said = " The paper shows this of VoxForge only.";
        page_.chart(
            stacked_bars(chart_name("figure-5") + "-" + ReproductionData::name(network),
                         title("Figure 5: where each class leaves", &network), {"class", false, true, {}},
                         {"share of its clips", true, true, 100}, classes, stacks),
            fmt::format("Threshold {}, {} test clips of {} classes, seed {}.{}", threshold,
                        task_["clips"].get<int>(), classes.size(),
                        (*joint.front())["seed"].get<std::uint64_t>(), said));
      }
    }
  }

  const ReproductionData& data_;
  const Json& task_;
  Page& page_;
};

}  // namespace

void add_figures(const ReproductionData& data, const Json& task, Page& page) {
  Figures(data, task, page).add();
}

}  // namespace bittern::report
