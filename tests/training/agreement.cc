// bittern_agreement RUN DATA: whether the model that a real training leaves answers as its trainer did.
//
// RUN is a run folder, DATA the data set that it was trained on. The network of RUN's last checkpoint, in the
// trainer, is compared with the same network exported, on the whole test split (agreement.h says how). Prints
// one line of JSON (docs/results/agreement.jsonl), and a line on standard error for each answer that rounding
// does not explain; then, or where fewer than 999 of 1,000 labels are the same, the exit status is 1.
#include <cstdio>
#include <nlohmann/json.hpp>

#include "datasets/dataset.h"
#include "model/file.h"
#include "training/agreement.h"
#include "training/checkpoint.h"
#include "training/exporter.h"
#include "training/run_folder.h"

namespace bittern::training {
namespace {

Status compare(const RunFolder& run, const std::string& data) {
  BITTERN_ASSIGN_OR_RETURN(const Recipe recipe, run.read_recipe());
  BITTERN_ASSIGN_OR_RETURN(const auto best, model::open(run.best()));
  BITTERN_ASSIGN_OR_RETURN(const auto network,
                           TrainableNetwork::create(best->network, recipe.binary_optimizer, recipe.seed));
  BITTERN_ASSIGN_OR_RETURN(const Checkpoint checkpoint, load_checkpoint(run.checkpoint()));
  BITTERN_RETURN_IF_ERROR(restore(checkpoint.tensors, network.state()));
  BITTERN_ASSIGN_OR_RETURN(const auto model, export_model(network, best->front_end, best->labels, {}));

  BITTERN_ASSIGN_OR_RETURN(const datasets::Dataset dataset, datasets::scan(data));
  if (dataset.labels != best->labels)
    return invalid_argument(data + ": its labels are not those of the training");
  BITTERN_ASSIGN_OR_RETURN(const datasets::LoadedClips clips,
                           datasets::load(dataset, datasets::Split::kTest, best->front_end.sample_rate));
  const Agreement found = Comparison(network, model).compare(clips);
  const nlohmann::ordered_json json = {
      {"architecture", recipe.architecture},      {"epochs", recipe.epochs},
      {"data_digest", dataset.digest()},          {"pairs", found.pairs},
      {"same_label", found.same_label},           {"logits_within_rounding", found.within_rounding},
      {"clips_with_a_sign_at_zero", found.signs}, {"unexplained", found.unexplained.size()}};
  std::printf("%s\n", json.dump().c_str());
  for (const std::string& line : found.unexplained) std::fprintf(stderr, "%s\n", line.c_str());
  if (!found.unexplained.empty() || found.same_label < 0.999 * found.pairs)
    return corrupt("the exported network does not answer as its trainer did");
  return {};
}

}  // namespace
}  // namespace bittern::training

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: bittern_agreement RUN DATA\n");
    return 2;
  }
  const bittern::Status status = bittern::training::compare({argv[1]}, argv[2]);
  if (!status.ok()) std::fprintf(stderr, "bittern_agreement: %s\n", status.error().message.c_str());
  return status.ok() ? 0 : 1;
}
