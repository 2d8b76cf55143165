// The logits of real recordings, bit for bit: one file, written once, that every instruction set and every
// machine must reproduce. Needs nothing but libbittern, so that it runs wherever that does.
//
//   golden_logits CLIPS MODEL GOLDEN ISA: compares on that instruction set, names the first line that differs
//   (exit status 77: this machine lacks it);
//
//   golden_logits CLIPS MODEL --write: prints the file.
//
// A line per network, clip and exit: the bits of its logits as hexadecimal words. MODEL is the shipped one;
// the architectures beside it, the four, one with an int8 stem and PReLU, and bittern-small, have random
// weights.
#include <algorithm>
#include <bit>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "golden/clips.h"
#include "graph/architecture.h"
#include "model/file.h"
#include "model/random_weights.h"
#include "runtime/session.h"

namespace bittern::golden {
namespace {

using Clips = std::vector<std::vector<float>>;

std::optional<Clips> read_clips(const char* path) {
  std::ifstream file(path, std::ios::binary);
  Clips clips(kClips, std::vector<float>(kSamples));
  for (std::vector<float>& clip : clips) {
    for (float& sample : clip) {
      unsigned char bytes[2];
      if (!file.read(reinterpret_cast<char*>(bytes), 2)) return std::nullopt;
      sample = static_cast<float>(static_cast<std::int16_t>(bytes[0] | (bytes[1] << 8))) / 32768.0F;
    }
  }
  return clips;
}

struct Named {
  std::string name;
  std::shared_ptr<const model::Model> model;
};

Expected<std::vector<Named>> networks(const char* shipped) {
  std::vector<Named> list;
  BITTERN_ASSIGN_OR_RETURN(std::shared_ptr<const model::Model> trained, model::open(shipped));
  list.push_back({"trained", std::move(trained)});
  for (const char* name : {"quicknet", "birealnet-18", "binarydensenet-28", "meliusnet-22",
                           "bittern:i5x7s4x4-32x2-64x1bn-64x1", "bittern-small"}) {
    graph::BuildOptions options;
    options.architecture = name;
    options.classes = 12;
    BITTERN_ASSIGN_OR_RETURN(const graph::Network network, graph::build(options));
    list.push_back({name, model::random_model(network, 2026)});
  }
  return list;
}

// Lines of the file, in its order.
Expected<std::vector<std::string>> compute(const char* shipped, const Clips& clips, Isa isa) {
  std::vector<std::string> lines;
  BITTERN_ASSIGN_OR_RETURN(const std::vector<Named> list, networks(shipped));
  for (const Named& network : list) {
    BITTERN_ASSIGN_OR_RETURN(runtime::Session session, runtime::Session::create(network.model, {.isa = isa}));
    const auto exits = static_cast<std::size_t>(network.model->network.exit_count());
    const auto classes = static_cast<std::size_t>(network.model->network.classes());
    std::vector<float> logits(exits * classes);
    for (std::size_t clip = 0; clip < clips.size(); ++clip) {
      BITTERN_RETURN_IF_ERROR(session.logits(clips[clip], logits));
      for (std::size_t exit = 0; exit < exits; ++exit) {
        std::string line =
            network.name + " clip " + std::to_string(clip + 1) + " exit " + std::to_string(exit + 1) + ":";
        for (std::size_t c = 0; c < classes; ++c) {
          char word[16];
          std::snprintf(word, sizeof(word), " %08x",
                        std::bit_cast<std::uint32_t>(logits[exit * classes + c]));
          line += word;
        }
        lines.push_back(std::move(line));
      }
    }
  }
  return lines;
}

int compare(const std::vector<std::string>& lines, const char* path) {
  std::ifstream file(path);
  std::string expected;
  for (const std::string& line : lines) {
    if (std::getline(file, expected) && expected == line) continue;
    std::fprintf(stderr, "differs:  %s\nexpected: %s\n", line.c_str(), expected.c_str());
    return 1;
  }
  if (std::getline(file, expected)) {
    std::fprintf(stderr, "%s: has more lines than there are logits\n", path);
    return 1;
  }
  std::printf("%zu lines of logits, all bits equal\n", lines.size());
  return 0;
}

int run(int argc, char** argv) {
  const bool write = argc == 4 && std::strcmp(argv[3], "--write") == 0;
  const std::optional<Isa> isa = write       ? std::optional(best_isa())
                                 : argc == 5 ? parse_isa(argv[4])
                                             : std::nullopt;
  if (!isa) {
    std::fprintf(stderr,
                 "usage: golden_logits CLIPS MODEL GOLDEN ISA, or golden_logits CLIPS MODEL --write\n");
    return 2;
  }
  const std::vector<Isa> isas = available_isas();
  if (std::find(isas.begin(), isas.end(), *isa) == isas.end()) {
    std::printf("skipped: this processor has no %s\n", argv[4]);
    return 77;
  }
  const std::optional<Clips> clips = read_clips(argv[1]);
  if (!clips) {
    std::fprintf(stderr, "%s: is no file of clips\n", argv[1]);
    return 1;
  }
  const auto lines = compute(argv[2], *clips, *isa);
  if (!lines.ok()) {
    std::fprintf(stderr, "%s\n", lines.error().message.c_str());
    return 1;
  }
  if (!write) return compare(*lines, argv[3]);
  for (const std::string& line : *lines) std::printf("%s\n", line.c_str());
  return 0;
}

}  // namespace
}  // namespace bittern::golden

int main(int argc, char** argv) { return bittern::golden::run(argc, argv); }
