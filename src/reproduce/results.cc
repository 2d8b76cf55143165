#include "reproduce/results.h"

#include <fmt/format.h>

#include <memory>
#include <set>
#include <utility>

#include "datasets/dataset.h"
#include "evaluation/collect.h"
#include "evaluation/evaluate.h"
#include "evaluation/interval.h"
#include "evaluation/labels.h"
#include "evaluation/latency.h"
#include "evaluation/metrics.h"
#include "evaluation/report.h"
#include "exits/rule.h"
#include "graph/architecture.h"
#include "graph/counts.h"
#include "json/text.h"
#include "model/file.h"
#include "model/random_weights.h"
#include "reproduce/agreement.h"
#include "reproduce/machine.h"
#include "reproduce/record.h"

namespace bittern::reproduce {
namespace {

using Json = nlohmann::ordered_json;
using ModelPointer = std::shared_ptr<const model::Model>;

// A task's test clips at the front end's rate; labels in the order of the data set's.
struct Clips {
  datasets::LoadedClips loaded;
  std::vector<std::string> labels;
  int sample_rate = 0;
};

Expected<Clips> load_clips(const datasets::Dataset& dataset, int sample_rate) {
  Clips clips;
  clips.sample_rate = sample_rate;
  clips.labels = dataset.labels;
  BITTERN_ASSIGN_OR_RETURN(clips.loaded, datasets::load(dataset, datasets::Split::kTest, sample_rate));
  return clips;
}

// What every exit of a model said about every clip.
struct Measured {
  evaluation::Collected collected;
  evaluation::Answers answers;
  evaluation::Truth truth;
};

Expected<Measured> measure(const ModelPointer& model, const Clips& clips, int threads) {
  BITTERN_ASSIGN_OR_RETURN(const std::vector<int> matched,
                           evaluation::match_labels(clips.labels, model->labels, {}));
  Measured measured;
  for (const int label : clips.loaded.labels)
    measured.truth.labels.push_back(matched[static_cast<std::size_t>(label)]);
  measured.truth.groups = evaluation::group_by_speaker(clips.loaded.speakers);
  evaluation::CollectOptions options{
      .session = {}, .threads = threads, .names = clips.loaded.names, .progress = nullptr};
  BITTERN_ASSIGN_OR_RETURN(measured.collected, evaluation::collect(model, clips.loaded.samples, options));
  measured.answers = evaluation::answer_all(measured.collected, model->temperatures, {});
  return measured;
}

Expected<Json> exits_json(const Measured& measured, int single_exit) {
  Json list = Json::array();
  const auto exits = static_cast<int>(measured.collected.exits);
  for (int exit = 1; exit <= exits; ++exit) {
    BITTERN_ASSIGN_OR_RETURN(const exits::Policy policy, exits::Policy::at_exit(exit, exits));
    const evaluation::Outcome outcome =
        evaluation::apply(policy, measured.answers, measured.truth, measured.collected);
    // A network cut behind an exit has that one alone.
    list.push_back({{"exit", single_exit == 0 ? exit : single_exit},
                    {"accuracy", evaluation::to_json(outcome.accuracy)}});
  }
  return list;
}

Expected<Json> rules_json(const Measured& measured, const std::vector<float>& thresholds) {
  Json list = Json::array();
  for (const float threshold : thresholds) {
    BITTERN_ASSIGN_OR_RETURN(const exits::Policy policy, exits::Policy::with_threshold("entropy", threshold));
    const evaluation::Outcome outcome =
        evaluation::apply(policy, measured.answers, measured.truth, measured.collected);
    list.push_back({{"threshold", json::shortest(threshold)},
                    {"accuracy", evaluation::to_json(outcome.accuracy)},
                    {"average_exit", outcome.average_exit},
                    {"histogram", outcome.histogram},
                    {"histogram_per_class", outcome.histogram_per_class}});
  }
  return list;
}

Json clips_json(const Measured& measured, const Clips& clips, const std::vector<std::string>& labels) {
  Json list = Json::array();
  for (std::size_t clip = 0; clip < measured.collected.clips; ++clip) {
    Json answers = Json::array();
    Json entropies = Json::array();
    for (const exits::Answer& answer : measured.answers.of(clip)) {
      answers.push_back(labels[static_cast<std::size_t>(answer.label)]);
      entropies.push_back(json::shortest(answer.entropy));
    }
    list.push_back({{"file", clips.loaded.names[clip]},
                    {"truth", labels[static_cast<std::size_t>(measured.truth.labels[clip])]},
                    {"answers", std::move(answers)},
                    {"entropies", std::move(entropies)}});
  }
  return list;
}

class Results {
 public:
  Results(const Experiment& experiment, const Folder& folder, const ResultOptions& options)
      : experiment_(experiment), folder_(folder), options_(options) {}

  Expected<Json> run() {
    const std::vector<Run> runs = experiment_.runs();
    Json list = Json::array();
    for (std::size_t i = 0; i < runs.size(); ++i) {
      if (options_.progress && !options_.progress(i, runs.size()))
        return Error{ErrorCode::kCancelled, "interrupted; the same command goes on"};
      const RunState state = state_of(folder_, experiment_, runs[i]);
      if (!state.done) continue;
      if (state.recorded) {
        list.push_back(folder_.record.runs.at(experiment_.name(runs[i])));
        continue;
      }
      BITTERN_ASSIGN_OR_RETURN(Json measured, run_json(runs[i]));
      list.push_back(std::move(measured));
    }
    Json json{{"title", experiment_.title}, {"conditions", conditions(experiment_)}};
    BITTERN_ASSIGN_OR_RETURN(Json recipe, common_recipe(experiment_));
    if (!recipe.is_null()) json["recipe"] = std::move(recipe);
    json.update({{"epochs", experiment_.epochs},
                 {"placement", experiment_.placement},
                 {"single_exits", experiment_.single_exits},
                 {"finished", list.size()},
                 {"planned", runs.size()},
                 {"machine",
                  {{"processor", processor_name()},
                   {"instruction_set", name(best_isa())},
                   {"runs", options_.latency_runs}}}});
    BITTERN_ASSIGN_OR_RETURN(json["tasks"], tasks_json());
    BITTERN_ASSIGN_OR_RETURN(json["networks"], networks_json());
    json["runs"] = std::move(list);
    return json;
  }

 private:
  // Tasks are read one at a time: their recordings need not all be in memory at once.
  Expected<const Clips*> clips_of(std::size_t task, int sample_rate) {
    if (clips_ == nullptr || task_ != task || clips_->sample_rate != sample_rate) {
      clips_.reset();
      BITTERN_ASSIGN_OR_RETURN(const datasets::Dataset* const dataset, data_.of(task, 0));
      BITTERN_ASSIGN_OR_RETURN(Clips clips, load_clips(*dataset, sample_rate));
      clips_ = std::make_unique<Clips>(std::move(clips));
      task_ = task;
      add_task(task);
    }
    return static_cast<const Clips*>(clips_.get());
  }

  void add_task(std::size_t task) {
    const Task& of = experiment_.tasks[task];
    for (const Json& known : tasks_)
      if (known["name"] == of.name) return;
    const std::set<std::string> speakers(clips_->loaded.speakers.begin(), clips_->loaded.speakers.end());
    tasks_.push_back({{"name", of.name},
                      {"paper", of.paper},
                      {"labels", clips_->labels},
                      {"clips", clips_->loaded.samples.size()},
                      {"speakers", speakers.size() - speakers.count("")}});
  }

  // In the experiment's order; of those that were not read now, what the record says.
  Expected<Json> tasks_json() {
    Json list = Json::array();
    for (std::size_t t = 0; t < experiment_.tasks.size(); ++t) {
      const auto add_from = [&](const Json& tasks) {
        for (const Json& known : tasks) {
          if (known.value("name", "") != experiment_.tasks[t].name) continue;
          list.push_back(known);
          list.back()["paper"] = experiment_.tasks[t].paper;
          return true;
        }
        return false;
      };
      if (!add_from(tasks_) && !add_from(folder_.record.tasks)) continue;
      if (!data_.there(t)) continue;
      BITTERN_ASSIGN_OR_RETURN(const datasets::Dataset* const dataset, data_.of(t, 0));
      list.back()["train_clips"] = dataset->of(datasets::Split::kTrain).size();
      list.back()["validation_clips"] = dataset->of(datasets::Split::kValidation).size();
    }
    return list;
  }

  Expected<Json> run_json(const Run& run) {
    const std::string name = experiment_.name(run);
    BITTERN_ASSIGN_OR_RETURN(const ModelPointer model, model::open(folder_.model(name)));
    BITTERN_ASSIGN_OR_RETURN(const Clips* const clips, clips_of(run.task, model->front_end.sample_rate));
    BITTERN_ASSIGN_OR_RETURN(const Measured measured, measure(model, *clips, options_.threads));
    Json json{{"task", experiment_.tasks[run.task].name},
              {"architecture", experiment_.networks[run.network].architecture},
              {"single_exit", run.single_exit},
              {"seed", run.seed},
              {"data_digest", model->provenance.data_digest}};
    const Json recipe = Json::parse(model->provenance.recipe, nullptr, false);
    if (recipe.is_object()) json["precision"] = recipe.value("precision", "");
    json["tool_version"] = model->provenance.tool_version;
    BITTERN_ASSIGN_OR_RETURN(json["exits"], exits_json(measured, run.single_exit));
    if (run.single_exit == 0) {
      BITTERN_ASSIGN_OR_RETURN(json["rules"], rules_json(measured, experiment_.thresholds));
      json["clips"] = clips_json(measured, *clips, model->labels);
    }
    return json;
  }

  // Of the first finished joint run: any task's will do, for classes hardly count.
  ModelPointer any_model(std::size_t network) const {
    const Run* recorded = nullptr;
    const std::vector<Run> runs = experiment_.runs();
    for (const Run& run : runs) {
      if (run.network != network || run.single_exit != 0) continue;
      const RunState state = state_of(folder_, experiment_, run);
      if (state.recorded && recorded == nullptr) recorded = &run;
      if (!state.done || state.recorded) continue;
      auto model = model::open(folder_.model(experiment_.name(run)));
      if (model.ok()) return *model;
    }
    return recorded == nullptr ? nullptr : random_model_of(*recorded);
  }

  // Weights change no time.
  ModelPointer random_model_of(const Run& run) const {
    graph::BuildOptions build;
    build.architecture = experiment_.networks[run.network].architecture;
    build.placement = experiment_.placement;
    build.pool = experiment_.pool;
    build.dense = experiment_.dense;
    for (const Json& task : folder_.record.tasks)
      if (task.value("name", "") == experiment_.tasks[run.task].name)
        build.classes = static_cast<int>(task["labels"].size());
    const Expected<graph::Network> built = graph::build(build);
    return built.ok() ? ModelPointer(model::random_model(*built, 0)) : nullptr;
  }

  Expected<Json> networks_json() const {
    Json list = Json::array();
    for (std::size_t n = 0; n < experiment_.networks.size(); ++n) {
      const Network& network = experiment_.networks[n];
      const ModelPointer model = any_model(n);
      graph::BuildOptions build;
      build.architecture = network.architecture;
      build.placement = experiment_.placement;
      build.pool = experiment_.pool;
      build.dense = experiment_.dense;
      build.classes = model == nullptr ? 2 : static_cast<int>(model->labels.size());
      BITTERN_ASSIGN_OR_RETURN(const graph::Network built, graph::build(build));
      const graph::Counts counts = graph::count(model == nullptr ? built : model->network);
      Json json{{"architecture", network.architecture}, {"paper", network.paper},
                {"parameters", counts.parameters()},    {"packed_mib", counts.packed_mib()},
                {"float32_mib", counts.float32_mib()},  {"exits", Json::array()}};
      for (const graph::ExitCounts& exit : counts.exits) {
        json["exits"].push_back({{"exit", exit.exit},
                                 {"layer", exit.layer},
                                 {"macs_binary", exit.cumulative.binary},
                                 {"macs_float", exit.cumulative.floating}});
        if (exit.cumulative.int8 > 0) json["exits"].back()["macs_int8"] = exit.cumulative.int8;
      }
      if (model != nullptr) BITTERN_RETURN_IF_ERROR(add_times(model, json));
      list.push_back(std::move(json));
    }
    return list;
  }

  Status add_times(const ModelPointer& model, Json& json) const {
    evaluation::LatencyOptions latency_options;
    latency_options.runs = options_.latency_runs;
    BITTERN_ASSIGN_OR_RETURN(const evaluation::Latency latency,
                             evaluation::measure_latency(model, latency_options, nullptr));
    json["front_end_us"] = latency.front_end_us.median;
    for (std::size_t i = 0; i < latency.exits.size(); ++i)
      json["exits"][i]["time_us"] = latency.exits[i].time_us.median;
    return {};
  }

  const Experiment& experiment_;
  const Folder& folder_;
  const ResultOptions& options_;
  std::unique_ptr<Clips> clips_;
  std::size_t task_ = 0;
  DataSets data_{experiment_};
  Json tasks_ = Json::array();
};

}  // namespace

Expected<Json> measure_results(const Experiment& experiment, const Folder& folder,
                               const ResultOptions& options) {
  return Results(experiment, folder, options).run();
}

}  // namespace bittern::reproduce
