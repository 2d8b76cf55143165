#include "evaluation/calibration.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

namespace bittern::evaluation {
namespace {

double mean_loss(const Collected& collected, std::span<const int> labels, std::span<const std::size_t> clips,
                 std::size_t exit, double temperature) {
  double loss = 0;
  for (const std::size_t clip : clips) {
    const auto logits = collected.logits_of(clip, exit);
    const auto largest = static_cast<double>(*std::max_element(logits.begin(), logits.end()));
    double sum = 0;
    for (const float logit : logits) sum += std::exp((static_cast<double>(logit) - largest) / temperature);
    const auto of_truth = static_cast<double>(logits[static_cast<std::size_t>(labels[clip])]);
    loss += std::log(sum) - (of_truth - largest) / temperature;
  }
  return loss / static_cast<double>(clips.size());
}

struct Bin {
  double right = 0;
  double probability = 0;
  std::vector<std::size_t> clips;
};

std::array<Bin, kCalibrationBins> bins_of(const Answers& answers, const Truth& truth, int exit) {
  std::array<Bin, kCalibrationBins> bins;
  for (std::size_t clip = 0; clip < answers.clips; ++clip) {
    const exits::Answer& answer = answers.of(clip)[static_cast<std::size_t>(exit - 1)];
    const auto p = static_cast<double>(answer.max_probability);
    const double place = std::ceil(p * static_cast<double>(kCalibrationBins)) - 1;
    Bin& bin =
        bins[static_cast<std::size_t>(std::clamp(place, 0.0, static_cast<double>(kCalibrationBins - 1)))];
    bin.right += answer.label == truth.labels[clip] ? 1 : 0;
    bin.probability += p;
    bin.clips.push_back(clip);
  }
  return bins;
}

}  // namespace

double expected_calibration_error(const Answers& answers, const Truth& truth, int exit) {
  double error = 0;
  for (const Bin& bin : bins_of(answers, truth, exit)) error += std::abs(bin.right - bin.probability);
  return answers.clips == 0 ? 0 : error / static_cast<double>(answers.clips);
}

std::vector<ReliabilityBin> reliability(const Answers& answers, const Truth& truth, int exit) {
  const std::array<Bin, kCalibrationBins> bins = bins_of(answers, truth, exit);
  std::vector<ReliabilityBin> result;
  for (std::size_t b = 0; b < bins.size(); ++b) {
    if (bins[b].clips.empty()) continue;
    std::vector<std::uint8_t> right;
    std::vector<std::uint32_t> groups;
    for (const std::size_t clip : bins[b].clips) {
      const int label = answers.of(clip)[static_cast<std::size_t>(exit - 1)].label;
      right.push_back(label == truth.labels[clip] ? 1 : 0);
      groups.push_back(truth.groups[clip]);
    }
    result.push_back({.bin = b + 1,
                      .mean_probability = bins[b].probability / static_cast<double>(right.size()),
                      .accuracy = proportion(right, groups)});
  }
  return result;
}

float fit_temperature(const Collected& collected, std::span<const int> labels,
                      std::span<const std::size_t> clips, int exit) {
  if (clips.empty()) return 1.0F;
  const auto loss = [&](double logarithm) {
    return mean_loss(collected, labels, clips, static_cast<std::size_t>(exit - 1), std::exp(logarithm));
  };
  // Golden section.
  const double ratio = (std::sqrt(5.0) - 1) / 2;
  double low = std::log(kLeastFit), high = std::log(kMostFit);
  double left = high - ratio * (high - low), right = low + ratio * (high - low);
  double at_left = loss(left), at_right = loss(right);
  while (high - low > 1e-5) {
    if (at_left <= at_right) {
      high = right;
      right = left;
      at_right = at_left;
      at_left = loss(left = high - ratio * (high - low));
    } else {
      low = left;
      left = right;
      at_left = at_right;
      at_right = loss(right = low + ratio * (high - low));
    }
  }
  return static_cast<float>(std::exp((low + high) / 2));
}

}  // namespace bittern::evaluation
