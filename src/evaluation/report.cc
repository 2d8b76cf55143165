#include "evaluation/report.h"

#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <string_view>

namespace bittern::evaluation {
namespace {

using Json = nlohmann::ordered_json;

void add_time(Json& object, const std::optional<double>& time_us) {
  if (time_us) object["time_us"] = *time_us;
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
                {"ece_at_temperature_1", row.ece_without}};
    add_time(object, row.time_us);
    list.push_back(std::move(object));
  }
  return list;
}

// Indented JSON with every array of plain numbers on one line: a matrix is readable, and a tenth as long.
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
    const std::size_t end = c == '[' && !quoted ? json.find_first_not_of("0123456789+-.eE, \n", i + 1) : i;
    if (c != '[' || quoted || end == std::string_view::npos || json[end] != ']') {
      text += c;
      continue;
    }
    for (std::size_t k = i; k <= end; ++k) {
      if (json[k] == ' ' || json[k] == '\n') continue;
      text += json[k];
      if (json[k] == ',') text += ' ';
    }
    i = end;
  }
  return text;
}

Json rules_json(const Report& report) {
  Json list = Json::array();
  for (const RuleRow& row : report.rules) {
    Json object{{"rule", row.rule},
                {"threshold", shortest(row.threshold)},
                {"accuracy", to_json(row.outcome.accuracy)},
                {"average_exit", row.outcome.average_exit},
                {"macs_share", row.outcome.macs_share},
                {"histogram", row.outcome.histogram},
                {"histogram_per_class", row.outcome.histogram_per_class},
                {"confusion", row.outcome.confusion}};
    add_time(object, row.time_us);
    list.push_back(std::move(object));
  }
  return list;
}

Json points_json(const Report& report) {
  Json list = Json::array();
  for (const PointRow& row : report.operating_points) {
    std::vector<double> thresholds;
    for (const float threshold : row.thresholds) thresholds.push_back(shortest(threshold));
    Json object{{"name", row.name},
                {"rule", row.rule},
                {"thresholds", thresholds},
                {"promise", row.promise},
                {"accuracy", to_json(row.outcome.accuracy)},
                {"average_exit", row.outcome.average_exit},
                {"macs_share", row.outcome.macs_share},
                {"histogram", row.outcome.histogram}};
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
                {"macs_share", row.macs_share}};
    add_time(object, row.time_us);
    list.push_back(std::move(object));
  }
  return list;
}

}  // namespace

double shortest(float value) {
  std::array<char, 32> text{};
  const auto printed = std::to_chars(text.data(), text.data() + text.size(), value);
  double result = 0;
  std::from_chars(text.data(), printed.ptr, result);
  return result;
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
  return one_line_per_row(to_json(report).dump(2, ' ', false, Json::error_handler_t::replace)) + "\n";
}

}  // namespace bittern::evaluation
