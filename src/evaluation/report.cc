#include "evaluation/report.h"

#include <algorithm>
#include <string_view>

#include "json/text.h"

namespace bittern::evaluation {
namespace {

using json::Json;
using json::shortest;

void add_time(Json& object, const std::optional<double>& time_us) {
  if (time_us) object["time_us"] = *time_us;
}

Json reliability_json(const std::vector<ReliabilityBin>& bins) {
  Json list = Json::array();
  for (const ReliabilityBin& bin : bins)
    list.push_back(
        {{"bin", bin.bin}, {"mean_probability", bin.mean_probability}, {"accuracy", to_json(bin.accuracy)}});
  return list;
}

Json exits_json(const Report& report) {
  Json list = Json::array();
  for (const ExitRow& row : report.exits) {
    Json object{{"exit", row.exit},
                {"layer", row.layer},
                {"accuracy", to_json(row.accuracy)},
                {"macs_share", row.macs_share},
                {"temperature", shortest(row.temperature)},
                {"ece", row.ece},
                {"ece_at_temperature_1", row.ece_without},
                {"reliability", reliability_json(row.reliability)},
                {"reliability_at_temperature_1", reliability_json(row.reliability_without)}};
    add_time(object, row.time_us);
    list.push_back(std::move(object));
  }
  return list;
}

// Where the array or object that opens at `begin` closes, if it holds nothing but numbers and objects of
// numbers; npos otherwise. Keys are quoted, texts stand behind ": ".
std::size_t end_of_numbers(std::string_view json, std::size_t begin) {
  std::size_t open = 0;
  for (std::size_t i = begin; i < json.size(); ++i) {
    const char c = json[i];
    if (c == '[' && i != begin) return std::string_view::npos;
    if (c == '{' && json[begin] == '[') return std::string_view::npos;
    const bool text = c == '"' && i >= 2 && json.substr(i - 2, 2) == ": ";
    if (text || (c == '"' && json[begin] == '[')) return std::string_view::npos;
    if (c == '{' || c == '[') ++open;
    if ((c == '}' || c == ']') && --open == 0) return i;
  }
  return std::string_view::npos;
}

// Indented JSON with every array of plain numbers, and every object of numbers, on one line: a matrix is
// readable, and a tenth as long.
std::string one_line_per_row(std::string_view json) {
  std::string text;
  bool quoted = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (quoted && c == '\\') {  // an escape: the next character ends nothing
      text += json.substr(i++, 2);
      continue;
    }
    if (c == '"') quoted = !quoted;
    const std::size_t end =
        !quoted && (c == '[' || c == '{') ? end_of_numbers(json, i) : std::string_view::npos;
    if (end == std::string_view::npos) {
      text += c;
      continue;
    }
    for (; i <= end; ++i) {
      if (json[i] != '\n') {
        text += json[i];
        continue;
      }
      if (text.back() == ',') text += ' ';
      while (json[i + 1] == ' ') ++i;
    }
    i = end;
  }
  return text;
}

void add_outcome(Json& object, const Outcome& outcome) {
  object.update({{"accuracy", to_json(outcome.accuracy)},
                 {"average_exit", outcome.average_exit},
                 {"macs_share", outcome.macs_share},
                 {"histogram", outcome.histogram}});
}

Json rules_json(const Report& report) {
  Json list = Json::array();
  for (const RuleRow& row : report.rules) {
    Json object{{"rule", row.rule}, {"threshold", shortest(row.threshold)}};
    add_outcome(object, row.outcome);
    object["histogram_per_class"] = row.outcome.histogram_per_class;
    object["confusion"] = row.outcome.confusion;
    add_time(object, row.time_us);
    list.push_back(std::move(object));
  }
  return list;
}

Json points_json(const Report& report) {
  Json list = Json::array();
  for (const PointRow& row : report.operating_points) {
    Json object{{"name", row.name},
                {"rule", row.rule},
                {"thresholds", shortest(row.thresholds)},
                {"promise", row.promise}};
    add_outcome(object, row.outcome);
    object["accuracy_loss"] = row.accuracy_loss();
    object["clips_lost"] = row.exchange.lost;
    object["clips_won"] = row.exchange.won;
    add_time(object, row.time_us);
    list.push_back(std::move(object));
  }
  return list;
}

Json clips_json(const Report& report) {
  Json list = Json::array();
  for (const ClipRow& row : report.clip_rows) {
    Json object{{"file", row.file},
                {"truth", row.truth},
                {"label", row.label},
                {"exit", row.exit},
                {"entropy", shortest(row.entropy)},
                {"macs_share", row.macs_share},
                {"speaker", row.speaker.empty() ? Json() : Json(row.speaker)}};
    add_time(object, row.time_us);
    list.push_back(std::move(object));
  }
  return list;
}

}  // namespace

std::vector<std::size_t> Report::possible_labels() const {
  std::vector<std::size_t> possible;
  for (std::size_t label = 0; label < labels.size(); ++label)
    if (only.empty() || std::ranges::count(only, labels[label]) > 0) possible.push_back(label);
  return possible;
}

double PointRow::accuracy_loss() const {
  if (outcome.accuracy.clips == 0) return 0;
  return (static_cast<double>(exchange.lost) - static_cast<double>(exchange.won)) /
         static_cast<double>(outcome.accuracy.clips);
}

Json to_json(const Proportion& proportion) {
  Json object{
      {"value", nullptr}, {"low", proportion.low}, {"high", proportion.high}, {"clips", proportion.clips}};
  if (proportion.clips > 0) object["value"] = proportion.value;
  return object;
}

Json to_json(const Report& report) {
  Json json{{"model", report.model},
            {"architecture", report.architecture},
            {"data",
             {{"folder", report.data},
              {"layout", report.layout},
              {"split", report.split},
              {"digest", report.data_digest},
              {"clips", report.clips},
              {"speakers", report.speakers},
              {"clips_of_unknown_speakers", report.unknown_speaker},
              {"skipped", report.skipped},
              {"left_out", report.left_out}}},
            {"segment", report.segment},
            {"labels", report.labels}};
  if (!report.only.empty()) json["only"] = report.only;
  json["interval"] = report.speakers + report.unknown_speaker == report.clips
                         ? "95 %, Wilson over clips"
                         : "95 %, hull of Wilson over clips and bootstrap over speakers (2000 resamples)";
  json["calibration_bins"] = kCalibrationBins;
  json["exits"] = exits_json(report);
  json["rules"] = rules_json(report);
  json["operating_points"] = points_json(report);
  Json per_class = Json::array();
  for (std::size_t c = 0; c < report.per_class.size(); ++c)
    per_class.push_back({{"label", report.labels[c]}, {"accuracy", to_json(report.per_class[c])}});
  json["per_class"] = std::move(per_class);
  json["confusion"] = report.confusion;
  if (!report.clip_rows.empty()) {
    json["policy"] = report.policy;
    json["clips"] = clips_json(report);
  }
  return json;
}

std::string json_text(const Report& report) {
  return one_line_per_row(json::text(to_json(report), 2)) + "\n";
}

}  // namespace bittern::evaluation
