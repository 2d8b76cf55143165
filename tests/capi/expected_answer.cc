// expected_answer MODEL SAMPLES: writes a random model and a clip of 1.2 seconds, and prints what the
// runtime, used directly, answers to it.
#include <cstdio>

#include "core/atomic_file.h"
#include "core/random.h"
#include "model/file.h"
#include "model/random_model.h"
#include "runtime/session.h"

namespace {

using namespace bittern;

void print(const model::Model& model, const runtime::Classification& answer) {
  const auto label = static_cast<std::size_t>(answer.label);
  std::printf("%s at exit %d, probability %.9g, entropy %.9g, share %.9g\n", model.labels[label].c_str(),
              answer.exit, static_cast<double>(answer.probabilities[label]),
              static_cast<double>(answer.entropy), answer.macs_share);
}

Status run(const char* model_path, const char* samples_path) {
  graph::BuildOptions options;
  options.architecture = "quicknet";
  options.classes = 12;
  BITTERN_ASSIGN_OR_RETURN(const graph::Network network, graph::build(options));
  const std::shared_ptr<const model::Model> model = model::random_model(network, 99);
  BITTERN_RETURN_IF_ERROR(model::save(*model, model_path));
  std::vector<float> samples(19200);
  Random random{99};
  for (float& sample : samples) sample = random.uniform(-0.5F, 0.5F);
  BITTERN_RETURN_IF_ERROR(write_file(samples_path, std::as_bytes(std::span(samples))));

  BITTERN_ASSIGN_OR_RETURN(runtime::Session session, runtime::Session::create(model));
  BITTERN_ASSIGN_OR_RETURN(const exits::Policy policy, exits::Policy::with_threshold("entropy", 1.5F));
  runtime::Classification answer;
  BITTERN_RETURN_IF_ERROR(session.classify(samples, policy, answer));
  print(*model, answer);
  for (int exit = 1; exit <= network.exit_count(); ++exit) {
    BITTERN_ASSIGN_OR_RETURN(const exits::Policy fixed, exits::Policy::at_exit(exit, network.exit_count()));
    BITTERN_RETURN_IF_ERROR(session.classify(samples, fixed, answer));
    print(*model, answer);
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const Status status = run(argv[1], argv[2]);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.error().message.c_str());
  return status.ok() ? 0 : 1;
}
