// What an experiment found, asked for as its tables and figures need it.
#pragma once

#include <cstddef>
#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace bittern::report {

// Over seeds. All but `deviation` are means of the seeds' own: low and high are no narrower than the 95 %
// interval that their mean would have.
struct Mean {
  double value = 0;
  double deviation = 0;  // between seeds; of one seed 0
  double low = 0;
  double high = 0;
  std::size_t seeds = 0;
};

struct AtThreshold {
  Mean accuracy;
  double average_exit = 0;
};

class ReproductionData {
 public:
  using Json = nlohmann::ordered_json;
  // results: as reproduce/results.h describes them. They must outlive this.
  explicit ReproductionData(const Json& results) : results_(results) {}

  const Json& results() const { return results_; }
  const Json& networks() const { return results_["networks"]; }
  static std::string name(const Json& network) { return network["architecture"].get<std::string>(); }
  static int exits(const Json& network) { return static_cast<int>(network["exits"].size()); }
  // Whether networks are trained alone, too: planned, finished or not.
  bool single_exits() const { return results_["single_exits"].get<bool>(); }

  // Joint runs (single_exit 0) or those cut behind an exit.
  std::vector<const Json*> runs(const Json& task, const Json& network, int single_exit) const;
  // Over seeds; exit from 1.
  Mean accuracy(const Json& task, const Json& network, int exit, bool alone) const;
  // Over the seeds of joint runs.
  std::map<double, AtThreshold> thresholds(const Json& task, const Json& network) const;
  // How often always answering the most frequent class would be right; 0 where no joint run tells.
  double most_frequent(const Json& task) const;

 private:
  const Json& results_;
};

}  // namespace bittern::report
