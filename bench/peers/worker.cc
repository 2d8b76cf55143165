// Bittern's side of the comparison (measure.py): times what a line of standard input asks for, on random
// input.
//
//   ARCHITECTURE EXIT WARM_UP CALLS    features to the logits of EXIT, exits pool globally as the peers' do
//   front-end - WARM_UP CALLS          a second of samples to features
//
// and answers with the median of CALLS calls in microseconds, after WARM_UP others. "isa" answers with the
// instruction set.
#include <algorithm>
#include <chrono>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/aligned.h"
#include "core/random.h"
#include "features/log_mel.h"
#include "graph/architecture.h"
#include "model/random_weights.h"
#include "runtime/execute.h"
#include "runtime/lower.h"

namespace bittern {
namespace {

template <class Work>
double median_us(int warm_up, int calls, const Work& work) {
  using Clock = std::chrono::steady_clock;
  std::vector<double> times;
  for (int call = 0; call < warm_up; ++call) work();
  for (int call = 0; call < calls; ++call) {
    const auto start = Clock::now();
    work();
    const auto end = Clock::now();
    times.push_back(std::chrono::duration<double, std::micro>(end - start).count());
  }
  std::nth_element(times.begin(), times.begin() + calls / 2, times.end());
  return times[static_cast<std::size_t>(calls / 2)];
}

std::vector<float> noise(std::size_t size, float low, float high) {
  Random random{1};
  std::vector<float> values(size);
  for (float& value : values) value = random.uniform(low, high);
  return values;
}

class Network {
 public:
  explicit Network(const std::string& architecture) {
    graph::BuildOptions options;
    options.architecture = architecture;
    options.classes = 12;
    options.pool = graph::ExitPool::kGlobal;
    model_ = model::random_model(graph::build(options).value(), 1);
    plan_ = runtime::lower(*model_, features::LogMelSpec().clip_frames()).value();
    arena_ = AlignedBuffer<std::byte>(plan_.arena_bytes);
    executor_.reserve(plan_.longest_group);
    executor_.start(plan_, arena_.data());
    features_ = noise(executor_.features().size(), -13.0F, 4.0F);
  }
  void run(int exit) {
    executor_.start(plan_, arena_.data());
    std::copy(features_.begin(), features_.end(), executor_.features().begin());
    for (int stage = 0; stage < exit; ++stage) executor_.run_stage(stage);
  }

 private:
  std::shared_ptr<const model::Model> model_;
  runtime::Plan plan_;
  AlignedBuffer<std::byte> arena_;
  runtime::Executor executor_{kernels::kernels(best_isa())};
  std::vector<float> features_;
};

int serve() {
  const features::LogMelSpec spec;
  auto log_mel = features::LogMel::create(spec, best_isa()).value();
  const auto samples = noise(static_cast<std::size_t>(spec.clip_samples), -0.5F, 0.5F);
  std::vector<float> output(static_cast<std::size_t>(spec.clip_frames() * spec.mel_bins));
  std::map<std::string, std::unique_ptr<Network>> networks;
  std::string what, exit;
  int warm_up = 0;
  int calls = 0;
  while (std::cin >> what) {
    if (what == "isa") {
      std::cout << name(best_isa()) << std::endl;
      continue;
    }
    if (!(std::cin >> exit >> warm_up >> calls) || warm_up < 0 || calls < 1) return 2;
    if (what == "front-end") {
      std::cout << median_us(warm_up, calls, [&] { log_mel.compute(samples, output); }) << std::endl;
      continue;
    }
    auto& network = networks[what];
    if (network == nullptr) network = std::make_unique<Network>(what);
    const int last = std::stoi(exit);
    std::cout << median_us(warm_up, calls, [&] { network->run(last); }) << std::endl;
  }
  return 0;
}

}  // namespace
}  // namespace bittern

int main() { return bittern::serve(); }
