// A model as an ONNX graph, for runtimes that know nothing of Bittern. docs/onnx.md says what is in it.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "core/status.h"
#include "model/model.h"

namespace bittern::convert {

// What every runtime of the last years reads: ONNX 1.8's operators.
inline constexpr int kOnnxOpset = 13;
inline constexpr int kOnnxIrVersion = 7;

inline constexpr const char* kOnnxInput = "features";
// "logits_1" of the first exit, also in a graph that has another exit alone.
std::string onnx_output(int exit);

struct OnnxOptions {
  int exit = 0;  // the only one in the graph, from 1; 0: all of them
  // What the file tells of the model, in this order: key and text (UTF-8).
  std::vector<std::pair<std::string, std::string>> metadata;
};

// The bytes of an .onnx file: features [N, frames, bins] to logits [N, classes] of each exit, before softmax
// and temperature, without any control flow. The same model gives the same bytes.
//
// Every 1-bit convolution is a Conv of +-1 by +-1, so its sums are exact; float sums have the runtime's
// order. Errors: an exit that the model does not have, an input of several channels; kUnsupported where the
// graph would take more than the 2 GiB that ONNX files may have.
Expected<std::string> export_onnx(const model::Model& model, const OnnxOptions& options);

}  // namespace bittern::convert
