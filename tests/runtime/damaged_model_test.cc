// Damage that the reader lets pass must still make a model that can be planned for and run.
#include <gtest/gtest.h>

#include <vector>

#include "core/random.h"
#include "model/editable_file.h"
#include "model/random_model.h"
#include "runtime/session.h"

namespace bittern::runtime {
namespace {

TEST(DamagedModel, ThatIsAcceptedRuns) {
  constexpr std::uint64_t kSeed = 12;
  constexpr int kRounds = 3000;
  constexpr std::uint32_t kNumbers[] = {0, 1, 2, 3, 4, 5, 7, 8, 16, 31, 64, 255};
  const std::vector<std::byte> original =
      model::serialize(*model::random_model(model::tiny_network(), 8)).value();
  int ran = 0;
  for (int round = 0; round < kRounds; ++round) {
    SCOPED_TRACE("seed " + std::to_string(kSeed) + " round " + std::to_string(round));
    Random random{kSeed, static_cast<std::uint64_t>(round)};
    model::EditableFile file(original);
    const std::size_t at = 8 + random.below(original.size() - 12);
    if (random.below(2) == 0) {
      file.bytes()[at] = static_cast<std::byte>(random.below(32));
    } else {
      file.set(file.bytes().data() + at / 4 * 4, kNumbers[random.below(std::size(kNumbers))]);
    }
    file.set_header({model::kFormatMajor, model::kFormatMinor, file.size(), 0});
    file.seal();
    auto model = model::read_copy(file.bytes());
    if (!model.ok()) continue;
    if ((*model)->front_end.clip_samples > 100000) continue;  // right, but would take long
    auto session = Session::create(*model);
    if (!session.ok()) continue;  // refused with an error: more memory than the limit
    const std::vector<float> clip(static_cast<std::size_t>((*model)->front_end.clip_samples), 0.25F);
    std::vector<float> logits(static_cast<std::size_t>((*model)->network.exit_count()) *
                              (*model)->labels.size());
    const Status done = session->logits(clip, logits);
    if (!done.ok()) {
      EXPECT_EQ(done.error().code, ErrorCode::kCorrupt) << done.error().message;
    }
    ++ran;
  }
  EXPECT_GT(ran, kRounds / 20);
  EXPECT_LT(ran, kRounds);
}

}  // namespace
}  // namespace bittern::runtime
