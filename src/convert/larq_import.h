// A network trained in Larq becomes a model.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "convert/contained.h"
#include "core/status.h"
#include "model/model.h"

namespace bittern::convert {

struct LarqOptions {
  std::string architecture;
  // As graph::BuildOptions; empty: `paper` for five exits, the network's end for one.
  std::string placement;
  std::vector<std::string> labels;         // one per class; empty: "label-0", ...
  std::string labels_from = "the labels";  // what errors about them name, such as their file
  // The kernel quantizer of QuantDense exits, "ste_sign", "magnitude_aware_sign" or "none", which a file of
  // weights alone does not tell. Empty: what a whole-model file says; of weights ste_sign, but none for the
  // only exit behind a ReLU, which is the published networks' head.
  std::string exit_quantizer;
  ContainedLimits reading = {};  // of the process that reads the file
};

struct LarqImport {
  std::shared_ptr<model::Model> model;  // without a self-test
  std::vector<std::string> assumed;     // lines about what the file did not tell
};

// `file`: HDF5 as Keras 2 writes it, model.save() or save_weights(). Widths are the file's own, so narrower
// networks of an architecture are read too.
Expected<LarqImport> import_larq(const std::filesystem::path& file, const LarqOptions& options);

}  // namespace bittern::convert
