#include "report/reproduction_method.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "core/text.h"
#include "reproduce/paper.h"

namespace bittern::report {
namespace {

using Json = nlohmann::ordered_json;

// An option of all trainings: as the recipe has it, or where none is told as the experiment's file has it.
class Options {
 public:
  explicit Options(const Json& results)
      : recipe_(results.value("recipe", Json::object())),
        train_(results.value("conditions", Json::object()).value("train", Json::object())) {}

  // place: "/loss/distillation"; word: the option of bittern train.
  Json of(const char* place, const char* word) const {
    const Json::json_pointer pointer(place);
    if (recipe_.contains(pointer)) return recipe_[pointer];
    return train_.contains(word) ? train_[word] : Json();
  }
  std::optional<double> number(const char* place, const char* word) const {
    const Json value = of(place, word);
    return value.is_number() ? std::optional(value.get<double>()) : std::nullopt;
  }
  std::string text(const char* place, const char* word) const {
    const Json value = of(place, word);
    return value.is_string() ? value.get<std::string>() : std::string();
  }

 private:
  Json recipe_;
  Json train_;
};

void add_data(const Json& results, std::vector<std::string>& items) {
  std::vector<std::string> tasks;
  for (const Json& task : results["tasks"]) {
    const auto paper = task["paper"].get<std::string>();
    std::string clips = grouped(task["clips"].get<std::int64_t>()) + " test clips";
    if (task.contains("train_clips")) {
      clips =
          fmt::format("{} training, {} validation and {}", grouped(task["train_clips"].get<std::int64_t>()),
                      grouped(task["validation_clips"].get<std::int64_t>()), clips);
    }
    tasks.push_back(fmt::format("{}{} ({})", task["name"].get<std::string>(),
                                paper.empty() ? "" : " in place of " + paper, clips));
  }
  if (tasks.empty()) return;
  items.push_back(fmt::format("Data. The paper has the full data sets with their own splits; here stand {}.",
                              fmt::join(tasks, ", ")));
}

void add_teacher(const Json& results, const Options& options, std::vector<std::string>& items) {
  const double distillation = options.number("/loss/distillation", "distillation").value_or(0);
  if (distillation == 0) return;
  const Json teachers = options.of("/teachers", "teacher");
  if (!teachers.is_null()) {
    const bool last = options.of("/loss/taught", "taught-exits") == "last";
    items.push_back(fmt::format(
        "Teachers. Finished models taught {}, at {:.0f} % of each loss; the paper's loss is the plain sum of "
        "the exits' cross-entropies.",
        last ? "the last exit, and it the earlier ones" : "all exits", 100 * distillation));
    return;
  }
  std::string item = fmt::format(
      "Teacher. In a joint training the last exit teaches the earlier ones: {:.0f} % of their "
      "loss is to answer as it does. The paper's loss is the plain sum of the exits' "
      "cross-entropies.",
      100 * distillation);
  bool alone = false;
  for (const Json& run : results["runs"]) alone = alone || run["single_exit"] != 0;
  if (alone) {
    item +=
        " A network trained for one exit has no later exit to learn from: what \"jointly\" gains "
        "over \"alone\" in table 2 is joint training and this teacher together, not joint "
        "training only.";
  }
  items.push_back(std::move(item));
}

void add_training(const Json& results, const Options& options, std::vector<std::string>& items) {
  const reproduce::PaperTraining paper = reproduce::kPaperTraining;
  std::string item = "Training. " + counted(results["epochs"].get<int>(), "epoch");
  if (const auto batch = options.number("/batch", "batch")) item += fmt::format(", batches of {}", *batch);
  if (const auto rate = options.number("/learning_rate", "learning-rate"))
    item += fmt::format(", learning rate {}", *rate);
  if (options.text("/schedule", "schedule") == "cosine") item += " falling to 0 along a cosine";
  item += fmt::format(" (the paper: {} epochs, batches of {}, {}).", paper.epochs, paper.batch,
                      paper.learning_rate);
  if (options.text("/binary_optimizer", "binary-optimizer") == "adam")
    item += " Adam trains the 1-bit kernels too, on latent weights; in the paper Bop does.";
  items.push_back(std::move(item));
  std::string epoch =
      "Which epoch counts. Of all epochs the best on the validation clips is kept: in a joint "
      "training that of the highest mean over its exits";
  epoch += results["single_exits"].get<bool>()
               ? ", for a network trained alone that of its only exit. So an exit trained alone is taken at "
                 "its own best epoch, and a joint one at the exits' common best."
               : ".";
  items.push_back(std::move(epoch));
}

void add_augmentation(const Options& options, std::vector<std::string>& items) {
  std::vector<std::string> kinds;
  const double noisy = options.number("/augment/noise_probability", "noise-probability").value_or(0);
  if (noisy > 0) kinds.push_back(fmt::format("background noise ({:.0f} % of them)", 100 * noisy));
  const double shift = options.number("/augment/shift_ms", "shift-ms").value_or(0);
  if (shift > 0) kinds.push_back(fmt::format("shifts of up to {} ms", shift));
  for (const auto& [count, place, word, unit] :
       {std::tuple{"/augment/time_masks", "/augment/time_mask_frames", "time-mask-frames", "frames"},
        std::tuple{"/augment/frequency_masks", "/augment/frequency_mask_bins", "frequency-mask-bins",
                   "mel bins"}}) {
    const double width = options.number(place, word).value_or(0);
    if (options.number(count, "").value_or(1) > 0 && width > 0)
      kinds.push_back(fmt::format("masks of up to {} {}", width, unit));
  }
  if (const double speed = options.number("/augment/speed", "speed").value_or(0); speed > 0)
    kinds.push_back(fmt::format("speeds of 1 ± {}", speed));
  if (const double gain = options.number("/augment/gain_db", "gain-db").value_or(0); gain > 0)
    kinds.push_back(fmt::format("gains of ± {} dB", gain));
  if (options.number("/augment/mixup", "mixup").value_or(0) > 0) kinds.emplace_back("clips mixed in pairs");
  if (kinds.empty()) return;
  items.push_back(fmt::format(
      "Augmentation. Training clips get {}; the paper tells of a random second of each clip and no more.",
      fmt::join(kinds, ", ")));
}

}  // namespace

std::vector<std::string> what_was_run(const Json& results) {
  std::vector<std::string> items;
  std::map<std::string, std::set<std::uint64_t>> seeds;
  std::set<std::string> versions;
  std::set<std::string> precisions;
  std::size_t joint = 0, untold = 0;
  for (const Json& run : results["runs"]) {
    seeds[run["architecture"].get<std::string>()].insert(run["seed"].get<std::uint64_t>());
    joint += run["single_exit"] == 0 ? 1 : 0;
    if (run.contains("tool_version")) {
      versions.insert(run["tool_version"].get<std::string>());
      if (run.contains("precision")) precisions.insert(run["precision"].get<std::string>());
    } else {
      ++untold;
    }
  }
  const auto finished = results["finished"].get<std::size_t>();
  const auto planned = results["planned"].get<std::size_t>();
  items.push_back(fmt::format(
      "{} of {} finished: {} of all exits jointly{}.{}", finished, counted(planned, "training"), joint,
      results["single_exits"].get<bool>() ? fmt::format(", {} of one exit alone", finished - joint) : "",
      finished < planned ? " What is missing shows as -." : ""));
  std::vector<std::string> of_networks;
  of_networks.reserve(seeds.size());
  for (const auto& [network, numbers] : seeds)
    of_networks.push_back(fmt::format("{} {}", network, fmt::join(numbers, ", ")));
  if (!of_networks.empty()) items.push_back(fmt::format("Seeds: {}.", fmt::join(of_networks, "; ")));
  if (!versions.empty()) {
    items.push_back(fmt::format(
        "Trained by bittern {}, gradients of 1-bit convolutions in {}{}. results.json has the "
        "digest of each run's data.",
        fmt::join(versions, ", "), fmt::join(precisions, ", "),
        untold == 0 ? "" : fmt::format("; {} of an older build without these", counted(untold, "run"))));
  }
  const Json machine = results.value("machine", Json::object());
  if (machine.contains("instruction_set")) {
    const auto processor = machine.value("processor", "");
    items.push_back(
        fmt::format("Times were measured on one core of {} with the kernels for {}: medians of {} runs.",
                    processor.empty() ? "this machine" : processor,
                    machine["instruction_set"].get<std::string>(), machine.value("runs", 0)));
  }
  return items;
}

std::vector<std::string> what_differs(const Json& results) {
  const Options options(results);
  std::vector<std::string> items;
  add_data(results, items);
  add_teacher(results, options, items);
  add_training(results, options, items);
  if (options.text("/exit_pool", "exit-pool") == "time") {
    items.emplace_back(
        "Exits. They average over time only and keep what happens at which pitch, so their dense "
        "layers have more inputs; the paper's average over both.");
  }
  items.push_back(
      fmt::format("Places of the exits. The paper does not say where its exits sit; ours are at \"{}\", "
                  "the layers that results.json names.",
                  results["placement"].get<std::string>()));
  add_augmentation(options, items);
  items.emplace_back(
      "Hardware. The paper's times are of Larq Compute Engine on a Snapdragon 855; ours are of "
      "Bittern on the machine above.");
  return items;
}

}  // namespace bittern::report
