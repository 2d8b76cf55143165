#include "cli/network_options.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <utility>
#include <vector>

namespace bittern::cli {
namespace {

struct PoolName {
  const char* name;
  graph::ExitPool pool;
};
constexpr std::array kPools{PoolName{"time", graph::ExitPool::kTime},
                            PoolName{"global", graph::ExitPool::kGlobal}};

}  // namespace

Argument add_architecture_argument(Arguments& arguments, std::string& architecture,
                                   const std::string& purpose) {
  return arguments
      .add("--architecture NAME", architecture,
           fmt::format("{}: {}", purpose, fmt::join(graph::architecture_names(), ", ")))
      .check({"", [](const std::string& name) {
                const auto found = graph::find_architecture(name);
                return found.ok() ? std::string() : found.error().message;
              }});
}

Argument add_classes_argument(Arguments& arguments, int& classes) {
  return arguments.add("--classes N", classes, "Number of classes")
      .check(whole_within(2, graph::kMaxClasses));
}

graph::ExitPool ExitOptions::pool_value() const {
  for (const PoolName& row : kPools) {
    if (pool == row.name) return row.pool;
  }
  return graph::ExitPool::kTime;
}

ExitArguments add_exit_arguments(Arguments& arguments, ExitOptions& options) {
  std::vector<std::string> pools;
  pools.reserve(kPools.size());
  for (const PoolName& row : kPools) pools.emplace_back(row.name);
  Argument placement =
      arguments
          .add("--placement NAME", options.placement,
               "Where the exits are: stem, paper, balanced, or layer names separated by commas")
          .show_default();
  Argument pool = arguments
                      .add("--exit-pool NAME", options.pool,
                           fmt::format("What exits average over: {}", fmt::join(pools, " or ")))
                      .check(one_of(std::move(pools)))
                      .show_default();
  std::vector<std::string> denses;
  denses.reserve(graph::kExitDenses.size());
  for (const graph::ExitDense known : graph::kExitDenses) denses.emplace_back(graph::name(known));
  Argument dense =
      arguments
          .add("--exit-dense NAME", options.dense,
               fmt::format("Weights of the exits' dense layers: {}; without it what the network is made for",
                           fmt::join(denses, ", ")))
          .check(one_of(std::move(denses)));
  return {placement, pool, dense};
}

}  // namespace bittern::cli
