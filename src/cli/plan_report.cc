#include "cli/plan_report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "cli/interrupt.h"
#include "cli/network_report.h"
#include "cli/output.h"
#include "core/text.h"
#include "evaluation/latency.h"
#include "features/log_mel.h"
#include "runtime/lower.h"

namespace bittern::cli {
namespace {

using Json = nlohmann::ordered_json;
using runtime::Place;

constexpr int kTimedRuns = 20;

// A place that a step reads or writes, and what for.
struct Use {
  const char* role;
  Place place;
};

// A step or an exit, told alike.
struct Row {
  int stage = 0;  // from 1
  int group = 0;
  int rows_at_a_time = 0;
  int index = 0;
  std::string_view kernel;
  std::string layers;
  graph::Shape output;
  graph::Macs macs;
  std::vector<Use> uses;
};

std::vector<Use> uses_of(const runtime::Step& step) {
  std::vector<Use> uses{{"input", step.input}};
  if (const auto* add = std::get_if<runtime::AddStep>(&step.operation))
    uses.push_back({"second", add->second});
  const runtime::Epilogue* const epilogue = runtime::epilogue_of(step);
  if (epilogue != nullptr && epilogue->residual) uses.push_back({"residual", epilogue->residual});
  uses.push_back({"output", step.output});
  if (epilogue != nullptr && epilogue->signs) uses.push_back({"signs", epilogue->signs});
  return uses;
}

std::vector<Row> rows_of(const runtime::Plan& plan) {
  std::vector<Row> rows;
  for (std::size_t s = 0; s < plan.stages.size(); ++s) {
    const runtime::Stage& stage = plan.stages[s];
    const int number = static_cast<int>(s) + 1;
    for (int g = stage.first_group; g < stage.end_group; ++g) {
      const runtime::Group& group = plan.groups[static_cast<std::size_t>(g)];
      for (const runtime::Step& step : group.steps) {
        const runtime::Buffer& buffer = plan.buffers[static_cast<std::size_t>(step.output.buffer)];
        const bool words = buffer.element == runtime::Element::kWord;
        rows.push_back(
            {.stage = number,
             .group = group.position,
             .rows_at_a_time = group.tile,
             .index = step.index,
             .kernel = runtime::kernel_of(step),
             .layers = step.name,
             .output = {step.rows, buffer.frequency, words ? step.input.channels : step.output.channels},
             .macs = step.macs_per_row * step.rows,
             .uses = uses_of(step)});
      }
    }
    const runtime::ExitStep& exit = stage.exit;
    rows.push_back({.stage = number,
                    .group = exit.position,
                    .rows_at_a_time = 1,
                    .index = exit.index,
                    .kernel = "exit",
                    .layers = exit.name,
                    .output = {1, 1, exit.classes},
                    .macs = {},
                    .uses = {{"input", exit.tensor}, {"means", exit.means}, {"output", plan.logits}}});
  }
  return rows;
}

// "0 -> 3", "0 + residual 1 -> 3 + signs 4"
std::string memory_of(const Row& row) {
  std::string text;
  for (const Use& use : row.uses) {
    if (!use.place) continue;
    const std::string_view role = use.role;
    if (role == "output") {
      text += fmt::format(" -> {}", use.place.buffer);
    } else if (role == "input") {
      text += fmt::format("{}", use.place.buffer);
    } else {
      text += fmt::format(" + {} {}", role, use.place.buffer);
    }
  }
  return text;
}

std::string percent(double share) { return fmt::format("{:.1f} %", 100 * share); }

std::string rows_text(const runtime::Buffer& buffer) {
  return buffer.rows < buffer.time ? fmt::format("{} of {}", buffer.rows, buffer.time)
                                   : fmt::format("{}", buffer.time);
}

}  // namespace

Expected<PlanReport> make_plan_report(const std::shared_ptr<const model::Model>& model) {
  const int frames = model->front_end.clip_frames();
  BITTERN_ASSIGN_OR_RETURN(const features::LogMel front_end,
                           features::LogMel::create_without_memory(model->front_end));
  BITTERN_ASSIGN_OR_RETURN(
      runtime::Plan plan,
      runtime::lower(*model, frames,
                     runtime::with_front_end(model->front_end, frames, front_end.work_floats())));
  evaluation::LatencyOptions timing;
  timing.runs = kTimedRuns;
  BITTERN_ASSIGN_OR_RETURN(
      const evaluation::Latency latency,
      evaluation::measure_latency(model, timing, [](std::size_t, std::size_t) { return !interrupted(); }));
  PlanReport report{std::move(plan), {}};
  for (const evaluation::StepLatency& step : latency.steps) report.shares.push_back(step.share);
  return report;
}

Json plan_json(const PlanReport& report) {
  const runtime::Plan& plan = report.plan;
  Json json{{"frames", plan.frames}, {"arena_bytes", plan.arena_bytes}, {"steps", Json::array()}};
  for (const Row& row : rows_of(plan)) {
    Json memory = Json::object();
    for (const Use& use : row.uses)
      if (use.place)
        memory[use.role] = {
            {"buffer", use.place.buffer}, {"channel", use.place.channel}, {"channels", use.place.channels}};
    json["steps"].push_back({{"stage", row.stage},
                             {"group", row.group},
                             {"rows_at_a_time", row.rows_at_a_time},
                             {"kernel", row.kernel},
                             {"layers", row.layers},
                             {"shape", {row.output.time, row.output.frequency, row.output.channels}},
                             {"macs_binary", row.macs.binary},
                             {"macs_float", row.macs.floating},
                             {"time_share", report.shares[static_cast<std::size_t>(row.index)]},
                             {"memory", std::move(memory)}});
    add_int8(json["steps"].back(), row.macs);
  }
  json["buffers"] = Json::array();
  for (std::size_t i = 0; i < plan.buffers.size(); ++i) {
    const runtime::Buffer& buffer = plan.buffers[i];
    if (!buffer.used()) continue;
    json["buffers"].push_back({{"buffer", i},
                               {"name", buffer.name},
                               {"offset_bytes", buffer.offset},
                               {"bytes", buffer.bytes()},
                               {"rows", buffer.rows},
                               {"rows_of_tensor", buffer.time},
                               {"first_group", buffer.first_use},
                               {"last_group", buffer.last_use}});
  }
  return json;
}

std::string plan_text(const PlanReport& report) {
  using Align = Table::Align;
  const runtime::Plan& plan = report.plan;
  Table steps({{"stage"},
               {"group"},
               {"rows"},
               {"kernel", Align::kLeft},
               {"output", Align::kLeft},
               {"binary MACs"},
               {"float MACs"},
               {"time"},
               {"buffers", Align::kLeft},
               {"layers", Align::kLeft}});
  for (const Row& row : rows_of(plan)) {
    steps.add({fmt::format("{}", row.stage), fmt::format("{}", row.group),
               fmt::format("{}", row.rows_at_a_time), std::string(row.kernel), graph::to_string(row.output),
               grouped(row.macs.binary), grouped(row.macs.floating),
               percent(report.shares[static_cast<std::size_t>(row.index)]), memory_of(row),
               one_line(row.layers)});
  }
  Table buffers({{"buffer"}, {"offset"}, {"bytes"}, {"rows"}, {"groups"}, {"name", Align::kLeft}});
  for (std::size_t i = 0; i < plan.buffers.size(); ++i) {
    const runtime::Buffer& buffer = plan.buffers[i];
    if (!buffer.used()) continue;
    buffers.add({fmt::format("{}", i), grouped(static_cast<std::int64_t>(buffer.offset)),
                 grouped(static_cast<std::int64_t>(buffer.bytes())), rows_text(buffer),
                 fmt::format("{} to {}", buffer.first_use, buffer.last_use), one_line(buffer.name)});
  }
  return fmt::format("plan for {} frames, arena of {} bytes\n\n", plan.frames,
                     grouped(static_cast<std::int64_t>(plan.arena_bytes))) +
         steps.str() +
         "rows: that a group makes at a time; time: of all steps, measured now, front end apart; buffers: "
         "what is "
         "read -> written\n\n" +
         buffers.str() + "groups: from the first that uses the buffer to the last; 0 is the front end\n";
}

}  // namespace bittern::cli
