// What a network looks like and costs, as JSON and as text: `inspect` prints it for an architecture and for a
// model.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "graph/counts.h"
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

// Adds "macs_int8" where there are any; `row` has macs_binary and macs_float.
void add_int8(nlohmann::ordered_json& row, const graph::Macs& macs);

}  // namespace bittern::cli
