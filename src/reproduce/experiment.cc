#include "reproduce/experiment.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string_view>

#include "graph/architecture.h"
#include "json/object_reader.h"
#include "json/text.h"

namespace bittern::reproduce {
namespace {

using json::Json;
using json::ObjectReader;

Status check_list(const Json& list, const std::string& where, const char* key) {
  if (list.is_array() && !list.empty()) return {};
  return invalid_argument(fmt::format("{}: '{}' must be a list of at least one", where, key));
}

// It becomes the name of a folder.
Status check_name(const std::string& name, const std::string& where, std::set<std::string>& taken) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  if (name.empty() || name.front() == '.' || name.find_first_not_of(kAllowed) != std::string::npos) {
    return invalid_argument(
        fmt::format("{}: '{}' is no name: letters, digits, '-', '_' and '.' make one", where, name));
  }
  if (!taken.insert(name).second)
    return invalid_argument(fmt::format("{}: '{}' is there twice", where, name));
  return {};
}

Expected<std::vector<Task>> read_tasks(const Json& list, const std::string& where,
                                       const std::filesystem::path& root) {
  BITTERN_RETURN_IF_ERROR(check_list(list, where, "tasks"));
  std::vector<Task> tasks;
  std::set<std::string> names;
  for (const Json& json : list) {
    Task task;
    std::string data;
    std::string noise;
    ObjectReader reader(json, fmt::format("{}, tasks[{}]", where, tasks.size()));
    reader.required("name", task.name);
    reader.required("data", data);
    reader.optional("noise", noise);
    reader.optional("paper", task.paper);
    BITTERN_RETURN_IF_ERROR(reader.finish());
    BITTERN_RETURN_IF_ERROR(check_name(task.name, where + ", tasks", names));
    task.data = root / data;
    if (!noise.empty()) task.noise = root / noise;
    tasks.push_back(std::move(task));
  }
  return tasks;
}

Expected<std::vector<Network>> read_networks(const Json& list, const std::string& where,
                                             const std::string& placement) {
  BITTERN_RETURN_IF_ERROR(check_list(list, where, "networks"));
  std::vector<Network> networks;
  std::set<std::string> names;
  for (const Json& json : list) {
    Network network;
    const std::string here = fmt::format("{}, networks[{}]", where, networks.size());
    ObjectReader reader(json, here);
    reader.required("architecture", network.architecture);
    reader.optional("paper", network.paper);
    reader.required("seeds", network.seeds);
    BITTERN_RETURN_IF_ERROR(reader.finish());
    BITTERN_RETURN_IF_ERROR(check_name(network.architecture, where + ", networks", names));
    const std::set<std::uint64_t> seeds(network.seeds.begin(), network.seeds.end());
    if (seeds.empty() || seeds.size() != network.seeds.size())
      return invalid_argument(here + ": 'seeds' must be a list of different numbers");
    graph::BuildOptions options;
    options.architecture = network.architecture;
    options.placement = placement;
    options.classes = 2;
    const Expected<graph::Network> built = graph::build(options);
    if (!built.ok()) return Error{built.error().code, fmt::format("{}: {}", here, built.error().message)};
    network.exits = built->exit_count();
    networks.push_back(std::move(network));
  }
  return networks;
}

// What the plan itself decides.
bool is_ours(std::string_view option) {
  for (const char* ours : {"data", "out", "noise", "architecture", "single-exit", "seed", "threads", "resume",
                           "overwrite", "quiet", "epochs", "placement"})
    if (option == ours) return true;
  return false;
}

bool is_list_of_texts(const Json& value) {
  return value.is_array() && !value.empty() &&
         std::all_of(value.begin(), value.end(), [](const Json& one) { return one.is_string(); });
}

Expected<std::vector<std::string>> read_options(const Json& train, const std::string& where) {
  std::vector<std::string> options;
  for (const auto& [key, value] : train.items()) {
    if (key == "epochs" || key == "placement") continue;
    if (is_ours(key))
      return invalid_argument(fmt::format("{}, train: '{}' is set by the plan of runs", where, key));
    if (value.is_boolean()) {
      if (value.get<bool>()) options.push_back("--" + key);
    } else if (value.is_string() || value.is_number()) {
      options.push_back("--" + key);
      options.push_back(value.is_string() ? value.get<std::string>() : value.dump());
    } else if (is_list_of_texts(value)) {
      for (const Json& one : value) {
        options.push_back("--" + key);
        options.push_back(one.get<std::string>());
      }
    } else {
      return invalid_argument(fmt::format(
          "{}, train: '{}' must be a text, a list of texts, a number, true or false", where, key));
    }
  }
  return options;
}

}  // namespace

std::vector<Run> Experiment::runs() const {
  std::vector<Run> first;
  std::vector<Run> second;
  std::vector<Run> rest;
  for (std::size_t task = 0; task < tasks.size(); ++task) {
    for (std::size_t network = 0; network < networks.size(); ++network) {
      const Network& of = networks[network];
      for (const std::uint64_t seed : of.seeds) {
        const bool is_first = seed == of.seeds.front();
        (is_first ? first : rest).push_back({task, network, 0, seed});
        for (int exit = 1; single_exits && exit <= of.exits; ++exit)
          (is_first ? second : rest).push_back({task, network, exit, seed});
      }
    }
  }
  first.insert(first.end(), second.begin(), second.end());
  first.insert(first.end(), rest.begin(), rest.end());
  return first;
}

std::string Experiment::name(const Run& run) const {
  return run_name(tasks[run.task].name, networks[run.network].architecture,
                  static_cast<std::uint64_t>(run.single_exit), run.seed);
}

std::string run_name(const std::string& task, const std::string& architecture, std::uint64_t single_exit,
                     std::uint64_t seed) {
  const std::string kind = single_exit == 0 ? "joint" : fmt::format("exit-{}", single_exit);
  return fmt::format("{}/{}/{}/seed-{}", task, architecture, kind, seed);
}

Expected<Experiment> read_experiment(const std::filesystem::path& file, const std::filesystem::path& root) {
  Experiment experiment;
  BITTERN_ASSIGN_OR_RETURN(experiment.source, json::read_file(file));
  const std::string where = file.string();
  Json tasks, networks, train = Json::object();
  ObjectReader reader(experiment.source, where);
  reader.required("title", experiment.title);
  reader.required("tasks", tasks);
  reader.required("networks", networks);
  reader.required("single_exits", experiment.single_exits);
  reader.required("thresholds", experiment.thresholds);
  reader.required("train", train);
  BITTERN_RETURN_IF_ERROR(reader.finish());
  for (const float threshold : experiment.thresholds) {
    if (!std::isfinite(threshold) || threshold < 0)
      return invalid_argument(where + ": 'thresholds' must be 0 or more, in nats");
  }
  if (experiment.thresholds.empty()) return invalid_argument(where + ": 'thresholds' must not be empty");
  if (std::count(experiment.thresholds.begin(), experiment.thresholds.end(), kShownThreshold) != 1) {
    return invalid_argument(
        fmt::format("{}: 'thresholds' must hold {}, which figure 5 shows, once", where, kShownThreshold));
  }
  if (!train.is_object()) return invalid_argument(where + ": 'train' must be an object");
  const Json epochs = train.value("epochs", Json());
  if (!epochs.is_number_integer() || epochs < 1 || epochs > 100'000)
    return invalid_argument(where + ", train: 'epochs' must be a number from 1 to 100000");
  experiment.epochs = epochs.get<int>();
  const Json placement = train.value("placement", Json("paper"));
  if (!placement.is_string()) return invalid_argument(where + ", train: 'placement' must be a text");
  experiment.placement = placement.get<std::string>();
  if (train.value("exit-pool", Json("time")) == "global") experiment.pool = graph::ExitPool::kGlobal;
  if (train.contains("exit-dense")) {
    const Json& dense = train["exit-dense"];
    if (dense.is_string()) experiment.dense = graph::exit_dense_named(dense.get<std::string>());
    if (!experiment.dense)
      return invalid_argument(where + ", train: 'exit-dense' must be binary, int8 or float");
  }
  for (const auto& [key, value] :
       {std::pair{"layout", &experiment.scan.layout}, std::pair{"task", &experiment.scan.task}})
    if (train.contains(key) && train[key].is_string()) *value = train[key].get<std::string>();
  BITTERN_ASSIGN_OR_RETURN(experiment.train_options, read_options(train, where));
  BITTERN_ASSIGN_OR_RETURN(experiment.tasks, read_tasks(tasks, where, root));
  BITTERN_ASSIGN_OR_RETURN(experiment.networks, read_networks(networks, where, experiment.placement));
  return experiment;
}

}  // namespace bittern::reproduce
