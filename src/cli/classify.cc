// bittern classify MODEL FILES...: what is in these recordings?
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/feature_logits.h"
#include "cli/inputs.h"
#include "cli/interrupt.h"
#include "cli/model_options.h"
#include "cli/output.h"
#include "cli/policy_options.h"
#include "evaluation/report.h"
#include "json/text.h"
#include "runtime/batch.h"

namespace bittern::cli {
namespace {

struct Options {
  ModelOptions model;
  PolicyOptions policy;
  std::vector<std::string> inputs;
  bool raw = false;
  audio::RawFormat format;
  int threads = 1;
  std::string features;
  bool logits = false;
  bool json = false;
};

using Answer = runtime::BatchAnswer;

std::string json_line(const std::string& file, const std::vector<std::string>& labels, const Answer& answer) {
  const runtime::Classification& said = answer.said;
  std::vector<double> probabilities;
  for (const float p : said.probabilities) probabilities.push_back(json::shortest(p));
  const nlohmann::ordered_json object{{"file", file},
                                      {"label", labels[static_cast<std::size_t>(said.label)]},
                                      {"exit", said.exit},
                                      {"entropy", json::shortest(said.entropy)},
                                      {"probabilities", probabilities},
                                      {"macs_share", said.macs_share},
                                      {"time_us", answer.time_us}};
  return json::text(object) + "\n";
}

Table answer_table(const std::vector<Input>& inputs, const std::vector<std::string>& labels) {
  std::size_t file = 0, label = 0;
  for (const Input& input : inputs) file = std::max(file, Table::width(one_line(input.name)));
  for (const std::string& name : labels) label = std::max(label, Table::width(one_line(name)));
  return Table({{"file", Table::Align::kLeft, file},
                {"label", Table::Align::kLeft, label},
                {"probability", Table::Align::kRight, 0},
                {"exit", Table::Align::kRight, 0},
                {"entropy/nats", Table::Align::kRight, 0},
                {"work", Table::Align::kRight, 7},
                {"time/us", Table::Align::kRight, 9}});
}

std::string table_line(const Table& table, const std::string& file, const std::vector<std::string>& labels,
                       const Answer& answer) {
  const runtime::Classification& said = answer.said;
  const auto label = static_cast<std::size_t>(said.label);
  return table.line({one_line(file), one_line(labels[label]),
                     fmt::format("{:.3f}", said.probabilities[label]), fmt::format("{}", said.exit),
                     fmt::format("{:.3f}", said.entropy), fmt::format("{:.1f} %", said.macs_share * 100),
                     fmt::format("{:.0f}", answer.time_us)});
}

// Whether reading could wait for someone. That happens on the calling thread alone, where Ctrl-C ends it.
bool may_wait(const Input& input) {
  if (input.found) return false;
  if (input.name == kStandardInput) return true;
  // What is not there, or cannot be looked at, fails at once.
  namespace fs = std::filesystem;
  std::error_code ignored;
  const fs::file_type type = fs::status(input.name, ignored).type();
  return type != fs::file_type::regular && type != fs::file_type::not_found && type != fs::file_type::none;
}

int threads_for(const std::vector<Input>& inputs, int wanted) {
  if (std::any_of(inputs.begin(), inputs.end(), may_wait)) return 1;
  return static_cast<int>(std::clamp<std::size_t>(inputs.size(), 1, static_cast<std::size_t>(wanted)));
}

Status run(const Options& options) {
  if (options.inputs.empty() && options.features.empty()) fail_usage("FILES is required, or --features FILE");
  if (!options.features.empty()) {
    BITTERN_ASSIGN_OR_RETURN(const auto model, open_model(options.model.model));
    return print_feature_logits(model, options.features);
  }
  if (std::count(options.inputs.begin(), options.inputs.end(), kStandardInput) > 1)
    fail_usage("standard input (-) can be read only once");
  std::error_code ignored;
  for (const std::string& input : options.inputs)
    if (options.raw && input != kStandardInput && std::filesystem::is_directory(input, ignored))
      fail_usage(fmt::format("{}: --raw takes files or -, not folders", one_line(input)));
  if (options.policy.exit == 0) rule_policy(options.policy);  // wrong usage is told before files are opened
  BITTERN_ASSIGN_OR_RETURN(const auto model, open_model(options.model.model));
  const exits::Policy policy = policy_for(options.policy, *model);
  const std::vector<std::uint8_t> only = options.model.only_mask(model->labels);
  const std::optional<audio::RawFormat> raw = options.raw ? std::optional(options.format) : std::nullopt;
  const std::vector<Input> inputs = expand_inputs(options.inputs);
  runtime::SessionOptions session;
  session.segment = options.model.segment_value();
  BITTERN_ASSIGN_OR_RETURN(runtime::Batch batch,
                           runtime::Batch::create(model, session, threads_for(inputs, options.threads)));

  const Table table = answer_table(inputs, model->labels);
  bool all_good = true;
  bool answered_any = false;
  std::vector<std::uint8_t> was_read(inputs.size());  // errors of reading name the file themselves
  const auto read = [&](std::size_t i, std::vector<float>& memory) -> Expected<std::span<const float>> {
    if (inputs[i].error) return *inputs[i].error;
    BITTERN_ASSIGN_OR_RETURN(memory, read_input(inputs[i].name, model->front_end.sample_rate, raw));
    was_read[i] = 1;
    return std::span<const float>(memory);
  };
  const auto print = [&](std::size_t i, const Expected<Answer>& answer) -> Status {
    BITTERN_RETURN_IF_ERROR(check_interrupt());
    if (answer.ok()) {
      if (!answered_any && !options.json) BITTERN_RETURN_IF_ERROR(write_out(table.head()));
      answered_any = true;
      return write_out(options.json ? json_line(inputs[i].name, model->labels, *answer)
                                    : table_line(table, inputs[i].name, model->labels, *answer));
    }
    const std::string& message = answer.error().message;
    print_error(was_read[i] != 0 ? fmt::format("{}: {}", inputs[i].name, message) : message);
    all_good = false;
    return {};
  };
  BITTERN_RETURN_IF_ERROR(batch.classify(inputs.size(), policy, only, read, print));
  // Each bad input has had its line.
  return all_good ? Status() : Error{ErrorCode::kIo, ""};
}

std::function<Status()> configure(Arguments& arguments) {
  const auto options = std::make_shared<Options>();
  add_model_argument(arguments, options->model);
  Argument files = arguments.add(
      "FILES", options->inputs,
      "Recordings: files (WAV, FLAC, Ogg Vorbis, Opus, MP3), folders of them, or - for standard input");
  files.check(not_empty());
  const std::vector<Argument> policy = add_policy_options(arguments, options->policy, "When to leave early");
  const std::vector<Argument> of_model = add_model_options(arguments, options->model);
  const Argument raw = arguments.flag(
      "--raw", options->raw, "The inputs are raw PCM: signed 16-bit little-endian, channels interleaved");
  arguments.add("--rate HZ", options->format.sample_rate, "Sample rate of raw PCM")
      .check(whole_within(audio::kMinRate, audio::kMaxRate))
      .needs(raw)
      .show_default();
  arguments.add("--channels N", options->format.channels, "Channels of raw PCM")
      .check(whole_within(1, audio::kMaxChannels))
      .needs(raw)
      .show_default();
  add_threads_argument(arguments, options->threads, "Clips at the same time; changes no answer but its time");
  Argument json = arguments.flag("--json", options->json, "One JSON object per line instead of a table");
  Argument logits = arguments.flag("--logits", options->logits, "Print what every exit says, before softmax");
  Argument features = arguments.add(
      "--features FILE", options->features,
      "Ready log-mel features instead of FILES: a NumPy file (.npy), float32 [clips, frames, bins]");
  features.check(not_empty()).needs(logits).needs(json).excludes(files).excludes(raw);
  // All exits say all that they say of whole features: nothing is left to choose.
  for (const Argument& other : policy) features.excludes(other);
  for (const Argument& other : of_model) features.excludes(other);
  logits.needs(features);
  return [options] { return run(*options); };
}

}  // namespace

const Command kClassifyCommand{
    "classify", "Say what is in recordings, leaving early where the answer is clear", configure};

}  // namespace bittern::cli
