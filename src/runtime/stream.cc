#include "runtime/stream.h"

#include <algorithm>

namespace bittern::runtime {
namespace {

Buffer& output_of(const Step& step, std::span<Buffer> buffers) {
  return buffers[static_cast<std::size_t>(step.output.buffer)];
}

// What a norm writes over what it read lies among other tensors: all of its rows stay.
bool in_place(const Step& step) { return step.input == step.output; }

std::size_t ring_bytes(const Group& group, std::span<Buffer> buffers, const std::vector<int>& kept) {
  std::size_t total = 0;
  for (std::size_t i = 0; i + 1 < group.steps.size(); ++i) {
    if (in_place(group.steps[i])) continue;
    Buffer ring = output_of(group.steps[i], buffers);
    ring.rows = kept[i];
    total += ring.bytes();
  }
  return total;
}

}  // namespace

std::vector<int> rows_to_keep(std::span<const Step> steps, int tile) {
  const std::size_t count = steps.size();
  std::vector<int> kept(count, 1);
  std::vector<int> done(count, 0);
  std::vector<int> target(count, 0);
  while (done.back() < steps.back().rows) {
    target.back() = std::min(done.back() + tile, steps.back().rows);
    for (std::size_t i = count - 1; i > 0; --i) {
      target[i - 1] = std::max(done[i - 1], steps[i].input_rows_for(target[i]));
    }
    // A step runs after the one before it has made its rows: until then, all that it reads must still be
    // there.
    for (std::size_t i = 1; i < count; ++i) {
      const int made = target[i - 1] - done[i - 1];
      const int read = target[i] > done[i] ? target[i - 1] - steps[i].first_input_row(done[i]) : 0;
      kept[i - 1] = std::max({kept[i - 1], made, read});
    }
    done = target;
  }
  for (std::size_t i = 0; i + 1 < count; ++i) kept[i] = std::min(kept[i], steps[i].rows);
  kept.back() = steps.back().rows;
  return kept;
}

void choose_tile(Group& group, std::span<Buffer> buffers, std::size_t tile_bytes) {
  const auto fits = [&](int tile) {
    return ring_bytes(group, buffers, rows_to_keep(group.steps, tile)) <= tile_bytes;
  };
  int low = 1;  // taken even where it does not fit
  int high = group.steps.back().rows;
  if (fits(high)) low = high;
  while (low < high) {  // more rows at a time never need smaller rings
    const int middle = low + (high - low + 1) / 2;
    if (fits(middle)) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  group.tile = low;
  const std::vector<int> kept = rows_to_keep(group.steps, group.tile);
  for (std::size_t i = 0; i + 1 < group.steps.size(); ++i) {
    if (!in_place(group.steps[i])) output_of(group.steps[i], buffers).rows = kept[i];
  }
}

}  // namespace bittern::runtime
