#include "cli/model_report.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "cli/network_report.h"
#include "cli/output.h"
#include "core/text.h"
#include "evaluation/report.h"
#include "json/text.h"

namespace bittern::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr double kMib = 1024.0 * 1024.0;

// Recipe and metrics are JSON as text. Text that is not, or that is nested so deeply that printing it could
// exhaust the stack (a file from outside holds anything), stays text.
Json embedded(const std::string& text) {
  constexpr int kMaxDepth = 32;
  bool too_deep = false;
  const auto keep = [&](int depth, Json::parse_event_t, Json&) {
    too_deep |= depth > kMaxDepth;
    return depth <= kMaxDepth;
  };
  Json json = Json::parse(text, keep, false);
  return json.is_discarded() || too_deep ? Json(text) : json;
}

std::string front_end_text(const features::LogMelSpec& spec) {
  const auto ms = [&](int samples) { return 1000.0 * samples / spec.sample_rate; };
  return fmt::format(
      "{} Hz; window {:g} ms ({} frames of {:g} ms every {:g} ms); FFT {}; {} mel bins, {:g} to {:g} Hz; "
      "ln(mel + {}){}",
      spec.sample_rate, ms(spec.clip_samples), spec.clip_frames(), ms(spec.frame_length), ms(spec.hop),
      spec.fft_size, spec.mel_bins, spec.low_hz, spec.high_hz, spec.offset,
      spec.normalize_scale.empty() ? "" : "; scaled and shifted per bin");
}

std::string points_text(const std::vector<model::OperatingPoint>& points) {
  if (points.empty()) return "operating points: none\n";
  using Align = Table::Align;
  Table table({{"operating point", Align::kLeft},
               {"rule", Align::kLeft},
               {"thresholds", Align::kLeft},
               {"promise", Align::kLeft}});
  for (const model::OperatingPoint& point : points) {
    table.add({one_line(point.name), one_line(point.rule),
               fmt::format("{}", fmt::join(point.thresholds, ", ")), one_line(point.promise)});
  }
  return table.str();
}

Json provenance_json(const model::Provenance& made) {
  return {{"architecture", made.architecture},
          {"placement", made.placement},
          {"data_name", made.data_name},
          {"data_digest", made.data_digest},
          {"seed", made.seed},
          {"recipe", embedded(made.recipe)},
          {"metrics", embedded(made.metrics)},
          {"tool_version", made.tool_version},
          {"license", made.license},
          {"date", made.date}};
}

// A value of JSON in words: {"a": 1, "b": {"c": [2, 3]}} is "a 1, b (c 2 3)".
std::string words(const Json& value) {
  if (value.is_string()) return one_line(value.get<std::string>());
  if (value.is_number_float()) return fmt::format("{:.6g}", value.get<double>());
  if (!value.is_structured()) return value.dump();
  if (value.empty()) return "none";
  std::vector<std::string> parts;
  for (const auto& [key, part] : value.items()) {
    std::string text = words(part);
    if (part.is_object()) text = fmt::format("({})", text);
    parts.push_back(value.is_object() ? fmt::format("{} {}", one_line(key), text) : text);
  }
  return fmt::format("{}", fmt::join(parts, value.is_object() ? ", " : " "));
}

// Recipe and metrics: a line per key, or per object of a list. What is no object of JSON stays as it is.
std::string embedded_text(const char* title, const std::string& text) {
  const Json json = embedded(text);
  if (!json.is_object() || json.empty()) return fmt::format("{:<14}{}\n", title, one_line(text));
  std::string lines;
  const auto add = [&](const std::string& key, const std::string& value) {
    lines += fmt::format("{:<14}{:<18}{}\n", lines.empty() ? title : "", key, value);
  };
  for (const auto& [key, value] : json.items()) {
    std::string name = one_line(key) + " ";
    if (value.is_array() && !value.empty() && value.front().is_object()) {
      for (const Json& row : value) add(std::exchange(name, ""), words(row));
    } else {
      add(name, words(value));
    }
  }
  return lines;
}

std::string provenance_text(const model::Provenance& made) {
  std::string text;
  const auto add = [&](const char* title, const std::string& value) {
    if (!value.empty()) text += fmt::format("{:<14}{}\n", title, one_line(value));
  };
  add("data", made.data_name);
  add("data digest", made.data_digest);
  add("seed", fmt::format("{}", made.seed));
  if (!made.recipe.empty()) text += embedded_text("recipe", made.recipe);
  if (!made.metrics.empty()) text += embedded_text("metrics", made.metrics);
  add("tool version", made.tool_version);
  add("licence", made.license);
  add("date", made.date);
  return text;
}

NetworkReport network_report(const ModelReport& report) {
  return {&report.model->network, report.model->provenance.placement, report.model->temperatures,
          report.layers};
}

}  // namespace

Json front_end_json(const features::LogMelSpec& spec) {
  Json json{{"sample_rate_hz", spec.sample_rate},
            {"clip_samples", spec.clip_samples},
            {"frame_samples", spec.frame_length},
            {"hop_samples", spec.hop},
            {"fft_size", spec.fft_size},
            {"mel_bins", spec.mel_bins},
            {"low_hz", json::shortest(spec.low_hz)},
            {"high_hz", json::shortest(spec.high_hz)},
            {"offset", json::shortest(spec.offset)},
            {"clip_frames", spec.clip_frames()}};
  if (!spec.normalize_scale.empty()) {
    json["normalize_scale"] = json::shortest(spec.normalize_scale);
    json["normalize_bias"] = json::shortest(spec.normalize_bias);
  }
  return json;
}

Json operating_points_json(const std::vector<model::OperatingPoint>& points) {
  Json json = Json::array();
  for (const model::OperatingPoint& point : points) {
    json.push_back({{"name", point.name},
                    {"rule", point.rule},
                    {"thresholds", json::shortest(point.thresholds)},
                    {"promise", point.promise}});
  }
  return json;
}

Json model_json(const ModelReport& report) {
  const model::Model& model = *report.model;
  Json json{{"file", report.file}, {"file_bytes", report.file_bytes}};
  json.update(network_json(network_report(report)));
  json["labels"] = model.labels;
  json["front_end"] = front_end_json(model.front_end);
  json["operating_points"] = operating_points_json(model.operating_points);
  json["provenance"] = provenance_json(model.provenance);
  json["self_test"] = {{"result", report.self_test}};
  if (!report.self_test_message.empty()) json["self_test"]["message"] = report.self_test_message;
  return json;
}

std::string model_text(const ModelReport& report) {
  const model::Model& model = *report.model;
  std::vector<std::string> labels;
  for (const std::string& label : model.labels) labels.push_back(one_line(label));
  std::string text = fmt::format("file          {} ({} bytes, {:.3f} MiB)\n", one_line(report.file),
                                 grouped(static_cast<std::int64_t>(report.file_bytes)),
                                 static_cast<double>(report.file_bytes) / kMib);
  text += network_text(network_report(report)) + "\n";
  text += fmt::format("labels        {}\n", fmt::join(labels, ", "));
  text += fmt::format("front end     {}\n", front_end_text(model.front_end));
  text += provenance_text(model.provenance);
  text += fmt::format("self-test     {}{}{}\n\n", report.self_test,
                      report.self_test_message.empty() ? "" : ": ", one_line(report.self_test_message));
  return text + points_text(model.operating_points);
}

}  // namespace bittern::cli
