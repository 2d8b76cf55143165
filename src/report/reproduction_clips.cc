#include "report/reproduction_clips.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace bittern::report {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kPerClass = 2;
constexpr std::size_t kOverthought = 8;

double hardness(const Json& clip) {
  double sum = 0;
  for (const Json& entropy : clip["entropies"]) sum += entropy.get<double>();
  return sum;
}

bool overthought(const Json& clip) {
  const Json& answers = clip["answers"];
  return answers.back() != clip["truth"] &&
         std::find(answers.begin(), answers.end(), clip["truth"]) != answers.end();
}

class Difficulty {
 public:
  Difficulty(const Json& task, const Recording& recording, Page& page)
      : task_(task), recording_(recording), page_(page) {}

  void add(const std::string& network, const Json& run) {
    std::map<std::string, std::vector<const Json*>> of_class;
    std::vector<const Json*> turned;
    for (const Json& clip : run["clips"]) {
      of_class[clip["truth"].get<std::string>()].push_back(&clip);
      if (overthought(clip)) turned.push_back(&clip);
    }
    const auto harder = [](const Json* a, const Json* b) { return hardness(*a) > hardness(*b); };
    std::vector<const Json*> hardest;
    for (auto& [label, clips] : of_class) {
      std::stable_sort(clips.begin(), clips.end(), harder);
      clips.resize(std::min(clips.size(), kPerClass));
      hardest.insert(hardest.end(), clips.begin(), clips.end());
    }
    page_.subheading(fmt::format("Hard clips, {}", network));
    page_.paragraph(
        fmt::format("The hardest clips of each class, by the sum of all exits' entropies (nats); seed "
                    "{}. Each cell: an exit's answer, shaded where it is wrong, and its entropy.",
                    run["seed"].get<std::uint64_t>()));
    add_table(hardest, run["exits"].size());
    std::stable_sort(turned.begin(), turned.end(),
                     [&](const Json* a, const Json* b) { return harder(b, a); });
    page_.paragraph(fmt::format("{} overthinks {} of {} clips: right at an early exit, wrong at the last.{}",
                                network, turned.size(), run["clips"].size(),
                                turned.size() > kOverthought ? " Those it was surest of:" : ""));
    turned.resize(std::min(turned.size(), kOverthought));
    if (!turned.empty()) add_table(turned, run["exits"].size());
  }

 private:
  void add_table(const std::vector<const Json*>& clips, std::size_t exits) {
    Table table{{"truth", "recording"}, {}};
    for (std::size_t exit = 1; exit <= exits; ++exit) table.header.push_back(fmt::format("exit {}", exit));
    for (const Json* clip : clips) {
      const auto file = (*clip)["file"].get<std::string>();
      Cell recording(file);
      if (recording_)
        std::tie(recording.audio, recording.audio_type) = recording_(task_["name"].get<std::string>(), file);
      std::vector<Cell> row{(*clip)["truth"].get<std::string>(), std::move(recording)};
      for (std::size_t exit = 0; exit < exits; ++exit) {
        const Json& answer = (*clip)["answers"][exit];
        Cell cell(answer.get<std::string>());
        cell.small = fmt::format("{:.2f}", (*clip)["entropies"][exit].get<double>());
        if (answer != (*clip)["truth"]) cell.shade = 0.4;
        row.push_back(std::move(cell));
      }
      table.rows.push_back(std::move(row));
    }
    page_.table(table);
  }

  const Json& task_;
  const Recording& recording_;
  Page& page_;
};

}  // namespace

void add_difficulty(const ReproductionData& data, const Json& task, const Recording& recording, Page& page) {
  Difficulty difficulty(task, recording, page);
  for (const Json& network : data.networks()) {
    const auto joint = data.runs(task, network, 0);
    if (!joint.empty()) difficulty.add(ReproductionData::name(network), *joint.front());
  }
}

}  // namespace bittern::report
