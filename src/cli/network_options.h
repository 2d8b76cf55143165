// The options by which a command is told which network: --architecture with its placement, pool and dense.
#pragma once

#include <optional>
#include <string>

#include "cli/arguments.h"
#include "graph/architecture.h"

namespace bittern::cli {

// --architecture NAME. `purpose` is what its help begins with.
Argument add_architecture_argument(Arguments& arguments, std::string& architecture,
                                   const std::string& purpose);

// --classes N, how many the network tells apart.
Argument add_classes_argument(Arguments& arguments, int& classes);

// --placement NAME, --exit-pool NAME and --exit-dense NAME, with their defaults.
struct ExitOptions {
  std::string placement = graph::BuildOptions{}.placement;
  std::string pool = "time";
  std::string dense;  // empty: the architecture's own

  graph::ExitPool pool_value() const;
  std::optional<graph::ExitDense> dense_value() const { return graph::exit_dense_named(dense); }
};
struct ExitArguments {
  Argument placement;
  Argument pool;
  Argument dense;
};
ExitArguments add_exit_arguments(Arguments& arguments, ExitOptions& options);

}  // namespace bittern::cli
