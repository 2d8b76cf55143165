// The same through the C++ wrapper.
#include <bittern/bittern.hpp>

#include <cstdio>
#include <fstream>
#include <iterator>
#include <vector>

namespace {

std::vector<float> read_samples(const char* path) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  std::vector<float> samples(static_cast<std::size_t>(file.tellg()) / sizeof(float));
  file.seekg(0);
  file.read(reinterpret_cast<char*>(samples.data()),
            static_cast<std::streamsize>(samples.size() * sizeof(float)));
  return samples;
}

void print(const bittern_info& info, const bittern_result& result) {
  std::printf("%s at exit %d, probability %.9g, entropy %.9g, share %.9g\n", info.labels[result.label],
              result.exit, static_cast<double>(result.probability), static_cast<double>(result.entropy),
              result.macs_share);
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3) return 2;
  const std::vector<float> samples = read_samples(argv[2]);
  const auto model = bittern::api::Model::open(argv[1]);
  bittern_options options = BITTERN_OPTIONS_INIT;
  options.threshold = 1.5F;
  bittern::api::Session session(model, options);
  print(model.info(), session.classify(samples.data(), samples.size()));
  session.classify_exits(samples.data(), samples.size());
  for (int exit = 1; exit <= model.info().exit_count; ++exit) print(model.info(), *session.exit_result(exit));
  return 0;
} catch (const bittern::api::Failure& failure) {
  std::fprintf(stderr, "%s\n", failure.what());
  return 1;
}
