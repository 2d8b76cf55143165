// bittern bench: how fast a model or a network runs on this machine, beside what the machine could do.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/footprint.h"
#include "cli/memory_file.h"
#include "cli/model_options.h"
#include "cli/network_options.h"
#include "cli/network_report.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "core/text.h"
#include "evaluation/latency.h"
#include "graph/architecture.h"
#include "json/text.h"
#include "model/file.h"
#include "model/random_weights.h"

namespace bittern::cli {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  std::string model;
  graph::BuildOptions network;
  ExitOptions exits;
  std::string isa = std::string(name(best_isa()));
  int runs = 200;
  bool steps = false;
  bool footprint = false;
  bool json = false;
  bool quiet = false;
};

Json json_of(const evaluation::Quantiles& us) {
  return {{"median", us.median}, {"p90", us.p90}, {"p99", us.p99}};
}

Json json_of(const Options& options, const model::Model& model, const evaluation::Latency& latency) {
  Json json{{"architecture", model.network.architecture()},
            {"instruction_set", name(latency.isa)},
            {"runs", latency.runs},
            {"frames", latency.frames},
            {"arena_bytes", latency.arena_bytes},
            {"peak", {{"binary_macs_per_s", latency.binary_peak}, {"float_macs_per_s", latency.float_peak}}},
            {"front_end", {{"time_us", json_of(latency.front_end_us)}}},
            {"exits", Json::array()}};
  if (!options.model.empty()) json["model"] = options.model;
  for (const evaluation::ExitLatency& exit : latency.exits) {
    json["exits"].push_back({{"exit", exit.exit},
                             {"layer", exit.layer},
                             {"time_us", json_of(exit.time_us)},
                             {"stage_us", exit.stage_us},
                             {"decide_us", exit.decide_us},
                             {"macs_binary", exit.macs.binary},
                             {"macs_float", exit.macs.floating},
                             {"floor_us", exit.floor_us},
                             {"floor_share", exit.floor_share}});
    add_int8(json["exits"].back(), exit.macs);
  }
  if (!options.steps) return json;
  for (const evaluation::StepLatency& step : latency.steps) {
    json["steps"].push_back({{"stage", step.stage},
                             {"layers", step.name},
                             {"kernel", step.kernel},
                             {"time_us", step.time_us},
                             {"share", step.share},
                             {"macs_binary", step.macs.binary},
                             {"macs_float", step.macs.floating}});
    add_int8(json["steps"].back(), step.macs);
  }
  return json;
}

// 10^12 MACs a second.
std::string tera(std::int64_t macs, double us) {
  return macs == 0 || us <= 0 ? "" : fmt::format("{:.3f}", static_cast<double>(macs) / us / 1e6);
}

std::string text_of(const model::Model& model, const evaluation::Latency& latency, bool steps) {
  std::string text = fmt::format(
      "{}, {} frames, one thread, {}, {}\n"
      "peak on registers alone: {:.3f} T binary MAC/s, {:.1f} G float MAC/s (multiply, then add)\n\n",
      one_line(model.network.architecture()), latency.frames, name(latency.isa), counted(latency.runs, "run"),
      latency.binary_peak / 1e12, latency.float_peak / 1e9);
  Table table({{"exit"},
               {"reads", Table::Align::kLeft},
               {"median us"},
               {"p90"},
               {"p99"},
               {"stage us"},
               {"decide us"},
               {"T MAC/s"},
               {"floor us"},
               {"share of floor"}});
  table.add({"-", "front end", fmt::format("{:.1f}", latency.front_end_us.median),
             fmt::format("{:.1f}", latency.front_end_us.p90),
             fmt::format("{:.1f}", latency.front_end_us.p99)});
  for (const evaluation::ExitLatency& exit : latency.exits) {
    table.add({fmt::format("{}", exit.exit), one_line(exit.layer), fmt::format("{:.1f}", exit.time_us.median),
               fmt::format("{:.1f}", exit.time_us.p90), fmt::format("{:.1f}", exit.time_us.p99),
               fmt::format("{:.1f}", exit.stage_us), fmt::format("{:.1f}", exit.decide_us),
               tera(exit.macs.binary + exit.macs.floating, exit.time_us.median),
               fmt::format("{:.1f}", exit.floor_us), fmt::format("{:.2f}", exit.floor_share)});
  }
  text += table.str();
  text +=
      "features to the exit's decision, cumulative; floor: 1-bit MACs at the one peak plus float MACs, four "
      "int8 ones as one, at the other\n";
  if (!steps) return text;
  Table list({{"stage"},
              {"us"},
              {"share"},
              {"T MAC/s"},
              {"kernel", Table::Align::kLeft},
              {"layers", Table::Align::kLeft}});
  for (const evaluation::StepLatency& step : latency.steps) {
    list.add({fmt::format("{}", step.stage), fmt::format("{:.1f}", step.time_us),
              fmt::format("{:.1f} %", 100 * step.share),
              tera(step.macs.binary + step.macs.floating, step.time_us), std::string(step.kernel),
              one_line(step.name)});
  }
  return text + "\n" + list.str();
}

Expected<std::shared_ptr<const model::Model>> model_of(const Options& options) {
  if (!options.model.empty()) return open_model(options.model);
  graph::BuildOptions wanted = options.network;
  wanted.placement = options.exits.placement;
  wanted.pool = options.exits.pool_value();
  wanted.dense = options.exits.dense_value();
  const Expected<graph::Network> network = graph::build(wanted);
  if (!network) fail_usage(network.error().message);  // nothing but the options went into it
  return std::shared_ptr<const model::Model>(model::random_model(*network, 0));
}

Json json_of(const Options& options, const model::Model& model, const Footprint& footprint) {
  const auto known = [](const auto& bytes) { return bytes ? Json(*bytes) : Json(nullptr); };
  Json json{{"architecture", model.network.architecture()},
            {"runs", footprint.runs},
            {"model_bytes", footprint.model_bytes},
            {"open_us", json_of(footprint.open_us)},
            {"plan_us", json_of(footprint.plan_us)},
            {"load_us", json_of(footprint.load_us)},
            {"first_answer_us", json_of(footprint.first_answer_us)},
            {"memory_bytes", known(footprint.memory_bytes)},
            {"arena_bytes", footprint.arena_bytes},
            {"library_bytes", known(footprint.library_bytes)},
            {"library_with_cxx_runtime_bytes", known(footprint.library_with_cxx_runtime_bytes)}};
  if (!options.model.empty()) json["model"] = options.model;
  return json;
}

std::string text_of(const model::Model& model, const Footprint& footprint) {
  const auto time = [](const evaluation::Quantiles& us) {
    return fmt::format("{:>9.2f} ms   p90 {:.2f}, p99 {:.2f}\n", us.median / 1e3, us.p90 / 1e3, us.p99 / 1e3);
  };
  const auto size = [](auto bytes) {
    return bytes ? fmt::format("{:>9.1f} KiB\n", static_cast<double>(*bytes) / 1024)
                 : std::string("  not known\n");
  };
  const auto arena = std::optional(footprint.arena_bytes);
  return fmt::format("{}, {}, median\n", one_line(model.network.architecture()),
                     counted(footprint.runs, "run")) +
         "load and plan                   " + time(footprint.load_us) + "  open and verify the model     " +
         time(footprint.open_us) + "  make a session and its plan   " + time(footprint.plan_us) +
         "process start to first answer   " + time(footprint.first_answer_us) +
         "model file, mapped              " + size(std::optional(footprint.model_bytes)) +
         "working memory beside it        " + size(footprint.memory_bytes) +
         "  arena, of these               " + size(arena) + "library in a C program          " +
         size(footprint.library_bytes) + "  with the C++ library in it    " +
         size(footprint.library_with_cxx_runtime_bytes);
}

std::string printed(const Json& json) { return json::text(json, 2) + "\n"; }

Status run_footprint(const Options& options, const model::Model& model) {
  std::string path = options.model;
  std::optional<MemoryFile> file;
  if (path.empty()) {
    BITTERN_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes, model::serialize(model));
    BITTERN_ASSIGN_OR_RETURN(MemoryFile made, MemoryFile::create(bytes));
    path = file.emplace(std::move(made)).path();
  }
  Progress progress("measuring", "runs", options.quiet);
  const auto footprint = measure_footprint(path, options.runs, follow(progress));
  progress.clear();
  if (!footprint.ok()) return footprint.error();
  return write_out(options.json ? printed(json_of(options, model, *footprint)) : text_of(model, *footprint));
}

Status run(const Options& options) {
  if (options.model.empty() == options.network.architecture.empty())
    fail_usage("bench takes a MODEL, or --architecture NAME");
  BITTERN_ASSIGN_OR_RETURN(const std::shared_ptr<const model::Model> model, model_of(options));
  if (options.footprint) return run_footprint(options, *model);
  evaluation::LatencyOptions wanted;
  wanted.isa = *parse_isa(options.isa);
  wanted.runs = options.runs;
  Progress progress("measuring", "runs", options.quiet);
  const auto latency = evaluation::measure_latency(model, wanted, follow(progress));
  progress.clear();
  if (!latency.ok()) return latency.error();
  return write_out(options.json ? printed(json_of(options, *model, *latency))
                                : text_of(*model, *latency, options.steps));
}

std::function<Status()> configure(Arguments& arguments) {
  const auto options = std::make_shared<Options>();
  options->network.classes = 12;
  const Argument model = arguments.add("MODEL", options->model, "The model, a .bittern file");
  const Argument architecture = add_architecture_argument(arguments, options->network.architecture,
                                                          "A network with random weights instead of a model")
                                    .excludes(model);
  add_classes_argument(arguments, options->network.classes).needs(architecture).show_default();
  ExitArguments exits = add_exit_arguments(arguments, options->exits);
  exits.placement.needs(architecture);
  exits.pool.needs(architecture);
  exits.dense.needs(architecture);
  arguments.add("--runs N", options->runs, "How often everything is measured")
      .check(whole_within(1, 1000000))
      .show_default();
  std::vector<std::string> isas;
  for (const Isa isa : available_isas()) isas.emplace_back(name(isa));
  const Argument isa =
      arguments
          .add("--isa NAME", options->isa, fmt::format("Instruction set to use: {}", fmt::join(isas, ", ")))
          .check(one_of(isas))
          .show_default();
  const Argument steps = arguments.flag("--steps", options->steps,
                                        "List every step of the plan too: its kernel and share of the time");
  arguments
      .flag("--footprint", options->footprint,
            "Measure instead what a model takes before and beside its answers: load, first answer, memory, "
            "library")
      .excludes(isa)
      .excludes(steps);
  arguments.flag("--json", options->json, "Print JSON");
  arguments.flag("--quiet", options->quiet, "No progress");
  return [options] { return run(*options); };
}

}  // namespace

const Command kBenchCommand{"bench", "Measure how fast a model runs here, beside the machine's limit",
                            configure};

}  // namespace bittern::cli
