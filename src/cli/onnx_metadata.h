// What an ONNX file tells of the model beside its graph.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "model/model.h"

namespace bittern::cli {

// Keys and texts, most of them JSON; docs/onnx.md lists them. `exit`: the only one in the graph, 0: all.
std::vector<std::pair<std::string, std::string>> onnx_metadata(const model::Model& model, int exit);

}  // namespace bittern::cli
