// The networks that Larq wrote, and what it says of two clips.
#pragma once

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "audio/temp_folder.h"
#include "convert/larq_import.h"

namespace bittern::test {

inline const std::string kFixtures = BITTERN_FIXTURES;
inline const std::vector<std::string> kFixtureNames{"quicknet", "birealnet-18", "binarydensenet-28",
                                                    "meliusnet-22"};
// The one that is a whole model; the others are weights alone.
inline const std::string kWholeModel = "birealnet-18";

inline std::string fixture(const std::string& name) { return kFixtures + "/" + name + ".h5"; }

// By network: "exit_quantizer", and "logits" as [clips][exits][classes].
inline nlohmann::json expected_of_fixtures() {
  return nlohmann::json::parse(
      read_bytes(std::string(BITTERN_SOURCE_DIR) + "/tests/convert/fixtures/logits.json"));
}

inline convert::LarqOptions options_for(const std::string& name) {
  convert::LarqOptions options;
  options.architecture = name;
  options.exit_quantizer = expected_of_fixtures()[name]["exit_quantizer"].get<std::string>();
  return options;
}

}  // namespace bittern::test
