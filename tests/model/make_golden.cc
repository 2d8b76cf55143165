// Writes the golden file of the current format version and its dump: make_golden FOLDER. Run once per
// released version; a golden file is never changed afterwards.
#include <cstdio>
#include <filesystem>

#include "core/atomic_file.h"
#include "model/dump.h"
#include "model/file.h"
#include "model/random_model.h"

int main(int argc, char** argv) {
  using namespace bittern;
  if (argc != 2) {
    std::fprintf(stderr, "usage: make_golden FOLDER\n");
    return 2;
  }
  const auto golden = model::random_model(model::tiny_network(), 20250101);
  golden->labels = {"yes", "nein \xC3\xA4\xC3\xB6", "_silence_"};
  golden->temperatures = {0.5F, 1.25F, 3.0F};
  golden->front_end.normalize_scale.assign(16, 0.25F);
  golden->front_end.normalize_bias.assign(16, -1.5F);
  golden->operating_points = {{"fast", "entropy", {0.1F, 0.2F, 0.3F}, "early"},
                              {"sure", "patience", {2.0F, 2.0F, 2.0F}, ""}};
  golden->provenance = {
      "tiny",  "paper", "none", "00ff", "{\"seed\": 1}", "{}", "0.1.0", "Apache-2.0", "2020-01-01T00:00:00Z",
      20250101};
  golden->self_test = model::SelfTest{1, {2, 3, 4}, UINT64_MAX};
  const std::string name = "v" + std::to_string(model::kFormatMajor);
  const std::filesystem::path folder = argv[1];
  Status status = model::save(*golden, folder / (name + ".bittern"));
  if (status.ok()) status = write_file(folder / (name + ".txt"), model::dump(*golden));
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.error().message.c_str());
  return status.ok() ? 0 : 1;
}
