// What a whole-model file tells beside weights: which layer reads which, and how each is set. Nothing of it
// is run, so models that Keras itself cannot load again (Lambda layers, own initializers) are read as well.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/status.h"

namespace bittern::convert {

struct KerasSettings {
  std::string kind;                 // class name, "QuantConv2D"
  std::vector<std::string> inputs;  // layers that it reads
  std::string activation;           // "relu", "linear"; empty where it has none
  std::string kernel_quantizer;     // "ste_sign"; empty: none
  std::string input_quantizer;
  float pad_values = 0;
  int stride = 1;    // the larger of both
  int dilation = 1;  // the same
  float epsilon = 1e-3F;
  std::vector<int> input_shape;  // of an InputLayer, without the batch; -1: any
};

class KerasConfig {
 public:
  // An empty text gives a config that knows nothing.
  static Expected<KerasConfig> parse(const std::string& text);

  bool empty() const { return layers_.empty(); }
  const KerasSettings* find(const std::string& layer) const;
  const std::map<std::string, KerasSettings>& layers() const { return layers_; }
  int readers(const std::string& layer) const;  // how many layers read it
  // The layer and all that it depends on.
  std::set<std::string> ancestors(const std::string& layer) const;

 private:
  std::map<std::string, KerasSettings> layers_;
};

}  // namespace bittern::convert
