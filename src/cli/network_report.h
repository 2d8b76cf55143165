// What a network looks like and costs, as JSON and as text: `inspect` prints it for an architecture and for a
// model.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "graph/network.h"

namespace bittern::cli {

struct NetworkReport {
  const graph::Network* network = nullptr;
  std::string placement;            // empty where the network has its own head
  std::vector<float> temperatures;  // of the exits; empty where there are none
  bool layers = false;              // list them too
};

nlohmann::ordered_json network_json(const NetworkReport& report);
std::string network_text(const NetworkReport& report);

}  // namespace bittern::cli
