#include "report/reproduction_page.h"

#include <fmt/format.h>

#include "core/text.h"
#include "report/reproduction_clips.h"
#include "report/reproduction_data.h"
#include "report/reproduction_figures.h"
#include "report/reproduction_method.h"
#include "report/reproduction_tables.h"

namespace bittern::report {
namespace {

using Json = nlohmann::ordered_json;

std::string about(const ReproductionData& data, const Json& task) {
  std::string text = fmt::format("{} test clips, {} classes, {} known speakers.", task["clips"].get<int>(),
                                 task["labels"].size(), task["speakers"].get<int>());
  if (const double share = data.most_frequent(task); share > 0)
    text += fmt::format(" Always answering the most frequent class would be right in {:.1f} %.", 100 * share);
  if (const auto paper = task["paper"].get<std::string>(); !paper.empty())
    text += fmt::format(" In the paper's place of {}.", paper);
  return text;
}

}  // namespace

Page reproduction_page(const Json& results, const Recording& recording) {
  const ReproductionData data(results);
  Page page(
      results["title"].get<std::string>(),
      fmt::format("{} of {}, {} each, exits at \"{}\"", results["finished"].get<int>(),
                  counted(results["planned"].get<int>(), "training"),
                  counted(results["epochs"].get<int>(), "epoch"), results["placement"].get<std::string>()));
  page.paragraph(
      "Beside our numbers stand those of A. Saeed, Binary Early-Exit Network for Adaptive "
      "Inference on Low-Resource Devices, Interspeech 2022. Data, training and hardware "
      "differ: compare shapes and orders, not levels.");
  page.heading("What was run");
  page.list(what_was_run(results));
  page.heading("What differs from the paper");
  page.list(what_differs(results));
  add_costs(data, page);
  for (const Json& task : results["tasks"]) {
    page.heading(task["name"].get<std::string>());
    page.paragraph(about(data, task));
    add_accuracies(data, task, page);
    add_figures(data, task, page);
    add_difficulty(data, task, recording, page);
  }
  return page;
}

}  // namespace bittern::report
