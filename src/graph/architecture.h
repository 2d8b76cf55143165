// The list of architectures, and how exits are put on them.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/builder.h"
#include "graph/network.h"

namespace bittern::graph {

// A named list of layers, at most kMaxExits, whose outputs the exits read, shallow to deep.
struct Placement {
  std::string_view name;  // "stem", "paper", "balanced"
  std::vector<std::string> layers;
};

// One file under architectures/ and one line in architectures/list.inc make one of these.
struct Architecture {
  std::string_view name;     // "quicknet"
  std::string_view summary;  // one line for --help and docs
  // Appends the network up to its last block; returns the layer whose output the head reads.
  int (*backbone)(Builder& builder, std::string_view design);
  // Appends the unmodified network's own head, a float dense Exit.
  void (*head)(Builder& builder, int features, int classes);
  std::vector<Placement> (*placements)(std::string_view design);
  // A family of networks: "name:DESIGN" is one of them. Whether the other functions may be given that design.
  // Null: a single network, whose design is empty.
  Status (*check_design)(std::string_view design) = nullptr;
  ExitDense exit_dense = ExitDense::kBinary;  // of its exits, unless BuildOptions say otherwise
};

std::span<const Architecture> architectures();  // single networks
std::span<const Architecture> families();
std::vector<std::string> architecture_names();  // for a person: of all, families as "name:DESIGN"
// What stands behind the colon of "name:DESIGN"; empty without one.
std::string_view design_of(std::string_view name);
// Of "name" or "name:DESIGN", with the design checked. The error names the known ones.
Expected<const Architecture*> find_architecture(std::string_view name);

inline constexpr Shape kDefaultInput{98, 64, 1};

struct BuildOptions {
  std::string architecture;
  Shape input = kDefaultInput;
  int classes = 0;
  // A preset's name, or layer names separated by commas ("s1.b2,s2.b4").
  std::string placement = "paper";
  ExitPool pool = ExitPool::kTime;
  std::optional<ExitDense> dense = std::nullopt;  // of the exits; nullopt: the architecture's own
  bool original = false;                          // the unmodified network: its own head, no other exit
};

// Errors: unknown architecture, placement or layer, an input too small for the network, classes out of range.
Expected<Network> build(const BuildOptions& options);

}  // namespace bittern::graph
