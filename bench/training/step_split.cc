#include "training/step_split.h"

#include <ATen/record_function.h>
#include <c10/util/ThreadLocalDebugInfo.h>

#include <chrono>
#include <string_view>

namespace bittern::training {
namespace {

using Clock = std::chrono::steady_clock;

struct Sums : c10::DebugInfoBase {
  std::map<std::string, double> seconds;
};

struct Start : at::ObserverContext {
  Sums* sums = nullptr;
  Clock::time_point at;
};

constexpr auto kSlot = c10::DebugInfoKind::TEST_INFO;

// "torch::autograd::CppNode<bittern::training::(anonymous namespace)::MaxPool>" -> "MaxPool".
std::string_view short_name(std::string_view name) {
  name = name.substr(name.rfind(':') + 1);
  return name.substr(0, name.find('>'));
}

std::string label(const at::RecordFunction& function) {
  const std::string name = function.name();
  if (function.scope() == at::RecordScope::BACKWARD_FUNCTION)
    return std::string(kBackwardScope) + " " + std::string(short_name(name));
  if (name == kWaitScope || name == kBackwardScope || name == kOptimizerScope) return name;
  return "forward " + name;
}

std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction&) {
  auto start = std::make_unique<Start>();
  start->sums = static_cast<Sums*>(c10::ThreadLocalDebugInfo::get(kSlot));
  start->at = Clock::now();
  return start;
}

void end(const at::RecordFunction& function, at::ObserverContext* context) {
  const auto* start = static_cast<Start*>(context);
  if (start->sums != nullptr)
    start->sums->seconds[label(function)] += std::chrono::duration<double>(Clock::now() - start->at).count();
}

}  // namespace

struct StepSplit::Hooks {
  std::shared_ptr<Sums> sums = std::make_shared<Sums>();
  c10::DebugInfoGuard guard{kSlot, sums};
  at::CallbackHandle handle = at::addThreadLocalCallback(
      at::RecordFunctionCallback(begin, end)
          .scopes({at::RecordScope::USER_SCOPE, at::RecordScope::BACKWARD_FUNCTION}));
};

StepSplit::StepSplit() : hooks_(std::make_unique<Hooks>()) {}

StepSplit::~StepSplit() { at::removeCallback(hooks_->handle); }

std::map<std::string, double> StepSplit::seconds() const {
  std::map<std::string, double> result = hooks_->sums->seconds;
  const auto whole = result.find(kBackwardScope);
  if (whole == result.end()) return result;
  double rest = whole->second;
  for (const auto& [name, seconds] : result)
    if (name.starts_with(std::string(kBackwardScope) + " ")) rest -= seconds;
  result.erase(whole);
  result[std::string(kBackwardScope) + ", rest"] = rest;
  return result;
}

}  // namespace bittern::training
