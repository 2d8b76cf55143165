// Writes a model with random weights, for checks against other frameworks: make_random ARCHITECTURE POOL SEED
// FILE.
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "graph/architecture.h"
#include "model/file.h"
#include "model/random_weights.h"

int main(int argc, char** argv) {
  using namespace bittern;
  if (argc != 5) {
    std::fprintf(stderr, "usage: make_random ARCHITECTURE time|global SEED FILE\n");
    return 2;
  }
  graph::BuildOptions options;
  options.architecture = argv[1];
  options.classes = 12;
  options.pool = std::string_view(argv[2]) == "global" ? graph::ExitPool::kGlobal : graph::ExitPool::kTime;
  const Expected<graph::Network> network = graph::build(options);
  Status status =
      network.ok() ? model::save(*model::random_model(*network, std::strtoull(argv[3], nullptr, 10)), argv[4])
                   : Status(network.error());
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.error().message.c_str());
  return status.ok() ? 0 : 1;
}
