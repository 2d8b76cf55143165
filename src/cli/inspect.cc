// bittern inspect: what a network or a model is made of and what it costs.
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/model_options.h"
#include "cli/model_report.h"
#include "cli/network_options.h"
#include "cli/network_report.h"
#include "cli/output.h"
#include "cli/plan_report.h"
#include "graph/architecture.h"
#include "json/text.h"
#include "runtime/self_test.h"

namespace bittern::cli {
namespace {

struct Options {
  std::string model;
  bool self_test = false;
  graph::BuildOptions network;
  std::string input = graph::to_string(graph::kDefaultInput);
  ExitOptions exits;
  bool layers = false;
  bool plan = false;
  bool json = false;
};

// "98x64x1": three whole numbers from 1 to what a network may have.
bool parse_shape(std::string_view text, graph::Shape& shape) {
  const std::array<std::pair<int*, int>, 3> parts{{{&shape.time, graph::kMaxTime},
                                                   {&shape.frequency, graph::kMaxFrequency},
                                                   {&shape.channels, graph::kMaxChannels}}};
  const char* at = text.data();
  const char* const end = at + text.size();
  for (const auto& [value, most] : parts) {
    if (value != &shape.time && (at == end || *at++ != 'x')) return false;
    const auto [next, error] = std::from_chars(at, end, *value);
    if (error != std::errc() || *value < 1 || *value > most) return false;
    at = next;
  }
  return at == end;
}

Check is_shape() {
  return {"", [](const std::string& text) {
            graph::Shape shape;
            if (parse_shape(text, shape)) return std::string();
            return fmt::format(
                "'{}' is not TIMExFREQUENCYxCHANNELS, such as {}, at most {}", text,
                graph::to_string(graph::kDefaultInput),
                graph::to_string({graph::kMaxTime, graph::kMaxFrequency, graph::kMaxChannels}));
          }};
}

std::string dumped(const nlohmann::ordered_json& json) { return json::text(json, 2) + "\n"; }

Status inspect_architecture(const Options& options) {
  graph::BuildOptions wanted = options.network;
  parse_shape(options.input, wanted.input);
  wanted.placement = options.exits.placement;
  wanted.pool = options.exits.pool_value();
  wanted.dense = options.exits.dense_value();
  const Expected<graph::Network> network = graph::build(wanted);
  // Nothing but the options went into it.
  if (!network) fail_usage(network.error().message);
  NetworkReport report;
  report.network = &network.value();
  report.placement = wanted.original ? "" : wanted.placement;
  report.layers = options.layers;
  return write_out(options.json ? dumped(network_json(report)) : network_text(report));
}

Status inspect_model(const Options& options) {
  BITTERN_ASSIGN_OR_RETURN(const auto model, open_model(options.model));
  ModelReport report;
  report.model = model.get();
  report.file = options.model;
  std::error_code error;
  report.file_bytes = std::filesystem::file_size(options.model, error);
  if (error) return io_error(fmt::format("{}: {}", options.model, error.message()));
  report.layers = options.layers;
  report.self_test = model->self_test ? "stored" : "absent";
  Status outcome;
  if (options.self_test) {
    outcome = runtime::run_self_test(model);
    if (model->self_test) report.self_test = outcome.ok() ? "passed" : "failed";
    if (!outcome) {
      report.self_test_message = outcome.error().message;
      outcome = Error{outcome.error().code, fmt::format("{}: {}", options.model, outcome.error().message)};
    }
  }
  nlohmann::ordered_json json;
  std::string text;
  if (options.json) {
    json = model_json(report);
  } else {
    text = model_text(report);
  }
  if (options.plan) {
    BITTERN_ASSIGN_OR_RETURN(const PlanReport plan, make_plan_report(model));
    if (options.json) {
      json["plan"] = plan_json(plan);
    } else {
      text += "\n" + plan_text(plan);
    }
  }
  BITTERN_RETURN_IF_ERROR(write_out(options.json ? dumped(json) : text));
  return outcome;
}

Status run(const Options& options) {
  if (options.model.empty() == options.network.architecture.empty())
    fail_usage("inspect takes a MODEL, or --architecture NAME and --classes N");
  return options.model.empty() ? inspect_architecture(options) : inspect_model(options);
}

std::function<Status()> configure(Arguments& arguments) {
  const auto options = std::make_shared<Options>();
  const Argument model = arguments.add("MODEL", options->model, "The model, a .bittern file");
  arguments
      .flag("--self-test", options->self_test,
            "Run the check that the model carries; name the first stage that differs")
      .needs(model);
  arguments
      .flag("--plan", options->plan,
            "List what is executed too: steps, kernels, shapes, memory, work, share of the time")
      .needs(model);

  Argument architecture =
      add_architecture_argument(arguments, options->network.architecture, "A network instead of a model");
  architecture.excludes(model);
  const Argument classes = add_classes_argument(arguments, options->network.classes).needs(architecture);
  architecture.needs(classes);
  ExitArguments exits = add_exit_arguments(arguments, options->exits);
  exits.placement.needs(architecture);
  exits.pool.needs(architecture);
  exits.dense.needs(architecture);
  arguments.add("--input TxFxC", options->input, "Input of the network: time x frequency x channels")
      .check(is_shape())
      .needs(architecture)
      .show_default();
  arguments
      .flag("--original", options->network.original,
            "The unmodified network: its own float head, no other exit")
      .needs(architecture)
      .excludes(exits.placement)
      .excludes(exits.pool)
      .excludes(exits.dense);
  arguments.flag("--layers", options->layers, "List every layer too");
  arguments.flag("--json", options->json, "Print JSON");
  return [options] { return run(*options); };
}

}  // namespace

const Command kInspectCommand{"inspect", "Describe a network or a model: layers, sizes, work up to each exit",
                              configure};

}  // namespace bittern::cli
