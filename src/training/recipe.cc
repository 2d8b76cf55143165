#include "training/recipe.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "json/object_reader.h"
#include "json/text.h"

#include "training/launch.h"

namespace bittern::training {
namespace {

using json::Json;
using json::shortest;

Status check(bool holds, std::string_view field, const std::string& value, std::string_view range) {
  if (holds) return {};
  return invalid_argument(fmt::format("{} is {}: must be {}", field, value, range));
}

std::string_view name(graph::ExitPool pool) { return pool == graph::ExitPool::kTime ? "time" : "global"; }
std::string_view name(BinaryOptimizer optimizer) {
  return optimizer == BinaryOptimizer::kBop ? "bop" : "adam";
}
std::string_view name(ExitWeighting weighting) {
  if (weighting == ExitWeighting::kLinear) return "linear";
  return weighting == ExitWeighting::kLearned ? "learned" : "fixed";
}

std::string_view name(TaughtExits taught) { return taught == TaughtExits::kAll ? "all" : "last"; }

std::string told(const std::vector<TeacherName>& teachers) {
  std::string text;
  for (const TeacherName& teacher : teachers)
    text += fmt::format("{}{} {}", text.empty() ? "" : " and ", teacher.file, teacher.checksum);
  return text.empty() ? "none" : text;
}

Expected<std::vector<TeacherName>> read_teachers(const Json& list) {
  if (!list.is_array()) return corrupt("recipe: 'teachers' must be a list");
  std::vector<TeacherName> teachers;
  for (const Json& json : list) {
    TeacherName teacher;
    json::ObjectReader reader(json, fmt::format("recipe, teachers[{}]", teachers.size()),
                              ErrorCode::kCorrupt);
    reader.required("file", teacher.file);
    reader.required("checksum", teacher.checksum);
    BITTERN_RETURN_IF_ERROR(reader.finish());
    teachers.push_back(std::move(teacher));
  }
  return teachers;
}

Status check_loss(const LossSettings& loss, bool weights_given, bool taught) {
  const auto is = [](double value) { return fmt::format("{}", value); };
  BITTERN_RETURN_IF_ERROR(check(loss.label_smoothing >= 0 && loss.label_smoothing < 1, "label_smoothing",
                                is(loss.label_smoothing), "0 or more and below 1"));
  BITTERN_RETURN_IF_ERROR(check(loss.distillation >= 0 && loss.distillation <= 1, "distillation",
                                is(loss.distillation), "0 to 1"));
  BITTERN_RETURN_IF_ERROR(check(std::isfinite(loss.temperature) && loss.temperature > 0,
                                "distillation temperature", is(loss.temperature), "a positive number"));
  if (taught && loss.distillation == 0)
    return invalid_argument("distillation is 0: must be above 0 where teachers are given");
  if (!taught && loss.taught != TaughtExits::kAll)
    return invalid_argument("taught exits are given, but no teacher");
  if (weights_given && loss.weighting != ExitWeighting::kFixed) {
    return invalid_argument(fmt::format(
        "exit weights are given and exit weighting is {}: leave one of them away", name(loss.weighting)));
  }
  return {};
}

}  // namespace

Expected<ExitWeighting> parse_weighting(std::string_view text) {
  for (const ExitWeighting weighting :
       {ExitWeighting::kFixed, ExitWeighting::kLinear, ExitWeighting::kLearned})
    if (text == name(weighting)) return weighting;
  return invalid_argument(fmt::format("unknown exit weighting '{}': use fixed, linear or learned", text));
}

Expected<TaughtExits> parse_taught(std::string_view text) {
  for (const TaughtExits taught : {TaughtExits::kAll, TaughtExits::kLast})
    if (text == name(taught)) return taught;
  return invalid_argument(fmt::format("unknown taught exits '{}': use all or last", text));
}

int Recipe::shortest_stage() const {
  return float_epochs == 0 ? epochs : std::min(float_epochs, epochs - float_epochs);
}

Status Recipe::validate() const {
  const auto positive = [](double value) { return std::isfinite(value) && value > 0; };
  const auto share = [](double value) { return std::isfinite(value) && value >= 0 && value <= 1; };
  const auto is = [](auto value) { return fmt::format("{}", value); };
  BITTERN_RETURN_IF_ERROR(
      check(epochs >= 1 && epochs <= kMostEpochs, "epochs", is(epochs), fmt::format("1 to {}", kMostEpochs)));
  BITTERN_RETURN_IF_ERROR(check(batch >= kLeastBatch && batch <= kMostBatch, "batch", is(batch),
                                fmt::format("{} to {}", kLeastBatch, kMostBatch)));
  BITTERN_RETURN_IF_ERROR(
      check(positive(learning_rate), "learning_rate", is(learning_rate), "a positive number"));
  BITTERN_RETURN_IF_ERROR(
      check(share(bop_gamma) && bop_gamma > 0, "bop_gamma", is(bop_gamma), "above 0 and at most 1"));
  BITTERN_RETURN_IF_ERROR(check(share(bop_gamma_end), "bop_gamma_end", is(bop_gamma_end), "0 to 1"));
  BITTERN_RETURN_IF_ERROR(check(std::isfinite(bop_threshold) && bop_threshold >= 0, "bop_threshold",
                                is(bop_threshold), "0 or more"));
  BITTERN_RETURN_IF_ERROR(check(single_exit >= 0 && single_exit <= graph::kMaxExits, "single_exit",
                                is(single_exit), "an exit's number, or 0 for all"));
  BITTERN_RETURN_IF_ERROR(check(float_epochs >= 0 && float_epochs < epochs, "float_epochs", is(float_epochs),
                                fmt::format("0 to {}, fewer than epochs", epochs - 1)));
  const int shortest = shortest_stage();
  for (const auto& [field, value] :
       {std::pair{"warmup_epochs", warmup_epochs}, std::pair{"bop_warmup_epochs", bop_warmup_epochs}}) {
    BITTERN_RETURN_IF_ERROR(
        check(value >= 0 && value < shortest, field, is(value),
              fmt::format("0 or more and below {}, the epochs of the (shorter) stage", shortest)));
  }
  BITTERN_RETURN_IF_ERROR(check(average_decay >= 0 && average_decay < 1, "average_decay", is(average_decay),
                                "0 or more and below 1"));
  BITTERN_RETURN_IF_ERROR(check_loss(loss, !exit_weights.empty(), !teachers.empty()));
  double sum = exit_weights.empty() ? 1 : 0;
  for (const double weight : exit_weights) {
    BITTERN_RETURN_IF_ERROR(
        check(std::isfinite(weight) && weight >= 0, "an exit weight", is(weight), "0 or more"));
    sum += weight;
  }
  BITTERN_RETURN_IF_ERROR(check(sum > 0, "the sum of exit_weights", is(sum), "positive"));
  BITTERN_RETURN_IF_ERROR(check(augment.shift_ms >= 0 && augment.shift_ms <= kMostShiftMs, "shift_ms",
                                is(augment.shift_ms), fmt::format("0 to {}", kMostShiftMs)));
  BITTERN_RETURN_IF_ERROR(check(augment.speed >= 0 && augment.speed <= kMostSpeed, "speed", is(augment.speed),
                                fmt::format("0 to {}", kMostSpeed)));
  BITTERN_RETURN_IF_ERROR(check(augment.gain_db >= 0 && augment.gain_db <= kMostGainDb, "gain_db",
                                is(augment.gain_db), fmt::format("0 to {}", kMostGainDb)));
  BITTERN_RETURN_IF_ERROR(
      check(share(augment.noise_probability), "noise_probability", is(augment.noise_probability), "0 to 1"));
  BITTERN_RETURN_IF_ERROR(
      check(share(augment.noise_level), "noise_level", is(augment.noise_level), "0 to 1"));
  for (const int masks : {augment.time_masks, augment.frequency_masks})
    BITTERN_RETURN_IF_ERROR(check(masks >= 0 && masks <= 100, "the number of masks", is(masks), "0 to 100"));
  for (const int width : {augment.time_mask_frames, augment.frequency_mask_bins})
    BITTERN_RETURN_IF_ERROR(check(width >= 0 && width <= kMostMask, "a mask's width", is(width),
                                  fmt::format("0 to {}", kMostMask)));
  BITTERN_RETURN_IF_ERROR(check(augment.mixup == 0 || (share(augment.mixup) && augment.mixup >= kLeastMixup),
                                "mixup", is(augment.mixup), fmt::format("0, or {} to 1", kLeastMixup)));
  BITTERN_RETURN_IF_ERROR(check(threads >= 1 && threads <= 1024, "threads", is(threads), "1 to 1024"));
  BITTERN_RETURN_IF_ERROR(check(processes >= 1 && processes <= kMostProcesses, "processes", is(processes),
                                fmt::format("1 to {}", kMostProcesses)));
  BITTERN_RETURN_IF_ERROR(check(device == "cpu" || device == "cuda", "device", device, "cpu or cuda"));
  return {};
}

Json to_json(const Recipe& recipe) {
  const AugmentSettings& augment = recipe.augment;
  Json json = {
      {"architecture", recipe.architecture},
      {"placement", recipe.placement},
      {"exit_pool", name(recipe.pool)},
      {"single_exit", recipe.single_exit},
      {"epochs", recipe.epochs},
      {"batch", recipe.batch},
      {"learning_rate", recipe.learning_rate},
      {"schedule", name(recipe.schedule)},
      {"warmup_epochs", recipe.warmup_epochs},
      {"float_epochs", recipe.float_epochs},
      {"average_decay", recipe.average_decay},
      {"binary_optimizer", name(recipe.binary_optimizer)},
      {"bop",
       {{"gamma", recipe.bop_gamma},
        {"gamma_end", recipe.bop_gamma_end},
        {"schedule", name(recipe.bop_schedule)},
        {"warmup_epochs", recipe.bop_warmup_epochs},
        {"threshold", recipe.bop_threshold}}},
      {"exit_weights", recipe.exit_weights},
      {"loss",
       {{"exit_weighting", name(recipe.loss.weighting)},
        {"label_smoothing", recipe.loss.label_smoothing},
        {"distillation", recipe.loss.distillation},
        {"temperature", recipe.loss.temperature}}},
      {"augment",
       {{"random_window", augment.random_window},
        {"shift_ms", augment.shift_ms},
        {"noise_probability", shortest(augment.noise_probability)},
        {"noise_level", shortest(augment.noise_level)},
        {"time_masks", augment.time_masks},
        {"time_mask_frames", augment.time_mask_frames},
        {"frequency_masks", augment.frequency_masks},
        {"frequency_mask_bins", augment.frequency_mask_bins},
        {"mixup", augment.mixup}}},
      {"seed", recipe.seed},
      {"threads", recipe.threads},
      {"device", recipe.device},
      {"precision", name(recipe.precision)},
  };
  // Only where they are on: recipes of earlier builds stay the same text.
  if (augment.speed > 0) json["augment"]["speed"] = augment.speed;
  if (augment.gain_db > 0) json["augment"]["gain_db"] = augment.gain_db;
  if (recipe.loss.taught != TaughtExits::kAll) json["loss"]["taught"] = name(recipe.loss.taught);
  if (recipe.exit_dense) json["exit_dense"] = name(*recipe.exit_dense);
  if (recipe.processes > 1) json["processes"] = recipe.processes;
  for (const TeacherName& teacher : recipe.teachers)
    json["teachers"].push_back({{"file", teacher.file}, {"checksum", teacher.checksum}});
  return json;
}

Expected<Recipe> recipe_from_json(const Json& json) {
  Recipe recipe;
  std::string pool;
  std::string dense;
  std::string schedule;
  std::string optimizer;
  std::string precision;
  std::string bop_schedule;
  std::string weighting;
  std::string taught(name(TaughtExits::kAll));
  Json loss = Json::object();
  Json bop = Json::object();
  Json augment = Json::object();
  Json teachers = Json::array();
  json::ObjectReader reader(json, "recipe", ErrorCode::kCorrupt);
  reader.required("architecture", recipe.architecture);
  reader.required("placement", recipe.placement);
  reader.required("exit_pool", pool);
  reader.required("single_exit", recipe.single_exit);
  reader.required("epochs", recipe.epochs);
  reader.required("batch", recipe.batch);
  reader.required("learning_rate", recipe.learning_rate);
  reader.required("schedule", schedule);
  reader.required("warmup_epochs", recipe.warmup_epochs);
  reader.required("float_epochs", recipe.float_epochs);
  reader.required("average_decay", recipe.average_decay);
  reader.required("binary_optimizer", optimizer);
  reader.required("bop", bop);
  reader.required("exit_weights", recipe.exit_weights);
  reader.required("loss", loss);
  reader.required("augment", augment);
  reader.required("seed", recipe.seed);
  reader.required("threads", recipe.threads);
  reader.required("device", recipe.device);
  reader.required("precision", precision);
  reader.optional("exit_dense", dense);
  reader.optional("processes", recipe.processes);
  reader.optional("teachers", teachers);
  BITTERN_RETURN_IF_ERROR(reader.finish());
  BITTERN_ASSIGN_OR_RETURN(recipe.teachers, read_teachers(teachers));

  json::ObjectReader bop_reader(bop, "recipe, bop", ErrorCode::kCorrupt);
  bop_reader.required("gamma", recipe.bop_gamma);
  bop_reader.required("gamma_end", recipe.bop_gamma_end);
  bop_reader.required("schedule", bop_schedule);
  bop_reader.required("warmup_epochs", recipe.bop_warmup_epochs);
  bop_reader.required("threshold", recipe.bop_threshold);
  BITTERN_RETURN_IF_ERROR(bop_reader.finish());

  json::ObjectReader loss_reader(loss, "recipe, loss", ErrorCode::kCorrupt);
  loss_reader.required("exit_weighting", weighting);
  loss_reader.required("label_smoothing", recipe.loss.label_smoothing);
  loss_reader.required("distillation", recipe.loss.distillation);
  loss_reader.required("temperature", recipe.loss.temperature);
  loss_reader.optional("taught", taught);
  BITTERN_RETURN_IF_ERROR(loss_reader.finish());

  json::ObjectReader augment_reader(augment, "recipe, augment", ErrorCode::kCorrupt);
  augment_reader.required("random_window", recipe.augment.random_window);
  augment_reader.required("shift_ms", recipe.augment.shift_ms);
  augment_reader.optional("speed", recipe.augment.speed);
  augment_reader.optional("gain_db", recipe.augment.gain_db);
  augment_reader.required("noise_probability", recipe.augment.noise_probability);
  augment_reader.required("noise_level", recipe.augment.noise_level);
  augment_reader.required("time_masks", recipe.augment.time_masks);
  augment_reader.required("time_mask_frames", recipe.augment.time_mask_frames);
  augment_reader.required("frequency_masks", recipe.augment.frequency_masks);
  augment_reader.required("frequency_mask_bins", recipe.augment.frequency_mask_bins);
  augment_reader.required("mixup", recipe.augment.mixup);
  BITTERN_RETURN_IF_ERROR(augment_reader.finish());

  if (pool != "time" && pool != "global") return corrupt("recipe: exit_pool must be time or global");
  recipe.pool = pool == "time" ? graph::ExitPool::kTime : graph::ExitPool::kGlobal;
  recipe.exit_dense = graph::exit_dense_named(dense);
  if (!dense.empty() && !recipe.exit_dense)
    return corrupt("recipe: exit_dense must be binary, int8 or float");
  if (optimizer != "bop" && optimizer != "adam")
    return corrupt("recipe: binary_optimizer must be bop or adam");
  recipe.binary_optimizer = optimizer == "bop" ? BinaryOptimizer::kBop : BinaryOptimizer::kAdam;
  if (!parse_precision(precision)) return corrupt("recipe: precision must be auto, fp32, bf16 or int16");
  recipe.precision = *parse_precision(precision);
  BITTERN_ASSIGN_OR_RETURN(recipe.schedule, parse_schedule(schedule));
  BITTERN_ASSIGN_OR_RETURN(recipe.bop_schedule, parse_schedule(bop_schedule));
  BITTERN_ASSIGN_OR_RETURN(recipe.loss.weighting, parse_weighting(weighting));
  BITTERN_ASSIGN_OR_RETURN(recipe.loss.taught, parse_taught(taught));
  BITTERN_RETURN_IF_ERROR(recipe.validate());
  return recipe;
}

std::vector<std::string> differences(const Recipe& stored, const Recipe& given) {
  std::vector<std::string> result;
  // What a recipe may leave out is in both.
  const auto flat = [](const Recipe& recipe) {
    Json json = to_json(recipe);
    json.erase("teachers");
    json = json.flatten();
    json["/exit_dense"] = recipe.exit_dense ? name(*recipe.exit_dense) : "";
    json["/processes"] = recipe.processes;
    json["/loss/taught"] = name(recipe.loss.taught);
    json["/augment/speed"] = recipe.augment.speed;
    json["/augment/gain_db"] = recipe.augment.gain_db;
    return json;
  };
  const Json a = flat(stored);
  const Json b = flat(given);
  for (const auto& [key, value] : a.items()) {
    const std::string other = b.contains(key) ? b[key].dump() : "absent";
    if (value.dump() == other) continue;
    std::string label = key.substr(1);
    for (char& c : label) c = c == '/' ? '.' : c;
    result.push_back(fmt::format("{} ({}, not {})", label, value.dump(), other));
  }
  if (stored.teachers != given.teachers)
    result.push_back(fmt::format("teachers ({}, not {})", told(stored.teachers), told(given.teachers)));
  if (result.empty() && a != b) result.emplace_back("exit_weights");
  return result;
}

}  // namespace bittern::training
