// bittern calibrate MODEL --data DIR: thresholds that keep a promise, stored in the model.
#include "evaluation/calibrate.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "cli/calibration_report.h"
#include "cli/command.h"
#include "cli/labelled_data.h"
#include "cli/layout_options.h"
#include "cli/model_options.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "core/atomic_file.h"
#include "evaluation/collect.h"
#include "evaluation/timing.h"
#include "json/text.h"
#include "model/file.h"
#include "runtime/self_test.h"

namespace bittern::cli {
namespace {

struct Options {
  ModelOptions model;
  DataOptions data;
  double max_accuracy_loss = 0.01;
  double budget_macs = 0;  // 0: not given
  double budget_us = 0;    // 0: not given
  double confidence = 0.95;
  std::string over = "clips";
  std::string name;
  std::string out;
  bool forget = false;
  bool dry_run = false;
  int threads = 1;
  bool json = false;

  std::string place() const { return out.empty() ? model.model : out; }
};

evaluation::CalibrateOptions goal_of(const Options& options) {
  evaluation::CalibrateOptions wanted;
  wanted.confidence = options.confidence;
  wanted.by_speaker = options.over == "speakers";
  wanted.limit = options.max_accuracy_loss;
  if (options.budget_macs > 0) {
    wanted.goal = evaluation::Goal::kMacs;
    wanted.limit = options.budget_macs;
  } else if (options.budget_us > 0) {
    wanted.goal = evaluation::Goal::kTime;
    wanted.limit = options.budget_us;
  }
  return wanted;
}

std::string name_of(const Options& options) {
  if (!options.name.empty()) return options.name;
  if (options.budget_macs > 0) return fmt::format("macs-{:g}", options.budget_macs);
  if (options.budget_us > 0) return fmt::format("us-{:g}", options.budget_us);
  return fmt::format("accuracy-loss-{:g}", options.max_accuracy_loss);
}

// Median time from samples to answer at each exit.
Expected<std::vector<double>> exit_times(const std::shared_ptr<const model::Model>& model,
                                         const runtime::SessionOptions& session,
                                         const evaluation::LabelledClips& clips, bool quiet) {
  BITTERN_ASSIGN_OR_RETURN(auto timer, evaluation::Timer::create(model, session));
  std::vector<exits::Policy> policies;
  const int exits = model->network.exit_count();
  for (int exit = 1; exit <= exits; ++exit) {
    BITTERN_ASSIGN_OR_RETURN(const exits::Policy policy, exits::Policy::at_exit(exit, exits));
    policies.push_back(policy);
  }
  Progress progress("timing", "clips", quiet);
  return timer.median_microseconds(clips.samples, policies, {}, follow(progress));
}

Expected<evaluation::Collected> all_logits(const std::shared_ptr<const model::Model>& model,
                                           const runtime::SessionOptions& session,
                                           const evaluation::LabelledClips& clips, const Options& options) {
  Progress progress("calibrating", "clips", options.data.quiet);
  return evaluation::collect(
      model, clips.samples,
      {.session = session, .threads = options.threads, .names = clips.names, .progress = follow(progress)});
}

// The file is what runs elsewhere: it is read back, and must compute what the model's maker computed.
Status write_model(const model::Model& model, const std::string& place) {
  BITTERN_ASSIGN_OR_RETURN(const std::vector<std::byte> bytes, model::serialize(model));
  BITTERN_ASSIGN_OR_RETURN(const auto written, model::read_copy(bytes));
  if (written->self_test) BITTERN_RETURN_IF_ERROR(runtime::run_self_test(written));
  return write_file(place, bytes);
}

// `model` with the operating point, in the place of one of that name.
void set_point(model::Model& model, model::OperatingPoint point) {
  auto& points = model.operating_points;
  const auto old = std::find_if(points.begin(), points.end(),
                                [&](const model::OperatingPoint& one) { return one.name == point.name; });
  if (old == points.end()) {
    points.push_back(std::move(point));
  } else {
    *old = std::move(point);
  }
}

Status run(const Options& options) {
  if (!options.dry_run) BITTERN_RETURN_IF_ERROR(check_place_for_file(options.place()));
  BITTERN_ASSIGN_OR_RETURN(const auto model, open_model(options.model.model));
  model::Model changed = *model;
  if (options.forget) changed.operating_points.clear();
  model::OperatingPoint point{name_of(options), "entropy", std::vector(model->temperatures.size(), 0.0F), ""};
  set_point(changed, point);
  // A name that no file takes must not cost minutes of work.
  if (const Status fits = model::validate(changed); !fits.ok())
    return invalid_argument(fmt::format("--name: {}", fits.error().message));

  CalibrationReport report;
  report.model = options.model.model;
  report.asked = options.data;
  report.options = goal_of(options);
  if (changed.operating_points.size() > 1) report.options.temperatures = model->temperatures;

  runtime::SessionOptions session;
  session.segment = options.model.segment_value();
  BITTERN_ASSIGN_OR_RETURN(const LabelledData data, load_labelled(options.data, *model, session.segment, {}));
  report.data = &data;
  BITTERN_ASSIGN_OR_RETURN(const evaluation::Collected collected,
                           all_logits(model, session, data.clips, options));
  BITTERN_ASSIGN_OR_RETURN(report.options.exit_us,
                           exit_times(model, session, data.clips, options.data.quiet));
  const evaluation::Truth truth{data.clips.labels, evaluation::group_by_speaker(data.clips.speakers),
                                evaluation::known_speakers(data.clips.speakers)};
  BITTERN_ASSIGN_OR_RETURN(report.found, evaluation::calibrate(collected, truth, report.options));

  point.thresholds = report.found.thresholds;
  point.promise = evaluation::promise_text(report.found, report.options, options.data.split);
  set_point(changed, point);
  changed.temperatures = report.found.temperatures;
  report.point = point;
  report.classes = model->labels.size();
  if (!options.dry_run) {
    BITTERN_RETURN_IF_ERROR(write_model(changed, options.place()));
    report.written = options.place();
  }
  if (options.json) return write_out(json::text(calibration_json(report), 2) + "\n");
  return options.data.quiet ? Status() : write_out(calibration_text(report));
}

std::function<Status()> configure(Arguments& arguments) {
  const auto options = std::make_shared<Options>();
  options->data.split = "validation";
  options->data.splits = {"validation", "test"};
  options->data.has_only = false;
  add_model_argument(arguments, options->model);
  add_data_arguments(arguments, options->data,
                     "Which clips, validation or test; the model must not have been trained on them");
  add_layout_options(arguments, options->data.scan);
  add_segment_option(arguments, options->model);
  const Argument loss =
      arguments
          .add("--max-accuracy-loss X", options->max_accuracy_loss,
               "Promise an accuracy at most X below the last exit's, with as little work as that allows")
          .check(within(0.0001, 0.5))
          .show_default();
  const Argument macs = arguments
                            .add("--budget-macs X", options->budget_macs,
                                 "Promise on average at most this share of the network's work")
                            .check(within(0.001, 0.999))
                            .excludes(loss);
  arguments
      .add("--budget-us US", options->budget_us,
           "Promise on average at most so many microseconds, measured here on one thread")
      .check(above(0))
      .excludes(loss)
      .excludes(macs);
  arguments.add("--confidence X", options->confidence, "How often, over draws of clips, a promise must hold")
      .check(within(0.5, 0.9999))
      .show_default();
  arguments
      .add("--over WHAT", options->over,
           "What counts as one observation: clips, or speakers (strict; needs many speakers)")
      .check(one_of({"clips", "speakers"}))
      .show_default();
  arguments
      .add("--name NAME", options->name,
           "Name of the operating point; by default from the promise, such as accuracy-loss-0.01")
      .check(not_empty());
  arguments.add("--out FILE", options->out, "Write the model there; by default it takes its own place")
      .check(not_empty());
  arguments.flag("--forget", options->forget,
                 "Drop the model's other operating points, so that temperatures can be fitted anew");
  arguments.flag("--dry-run", options->dry_run, "Write no file");
  add_threads_argument(arguments, options->threads, "Clips at the same time; changes no result");
  arguments.flag("--json", options->json, "Print JSON");
  arguments.flag("--quiet", options->data.quiet, "Print nothing but errors");
  return [options] { return run(*options); };
}

}  // namespace

const Command kCalibrateCommand{"calibrate", "Choose thresholds that keep a promise, and store them",
                                configure};

}  // namespace bittern::cli
