#include "runtime/arena.h"

#include <algorithm>
#include <string>
#include <vector>

namespace bittern::runtime {
namespace {

bool alive_together(const Buffer& a, const Buffer& b) {
  return a.first_use <= b.last_use && b.first_use <= a.last_use;
}

// The lowest offset at which `buffer` fits between those of `placed` that live with it; `placed` is sorted by
// offset.
std::size_t lowest_gap(const Buffer& buffer, const std::vector<const Buffer*>& placed) {
  std::size_t offset = 0;
  for (const Buffer* other : placed) {
    if (!alive_together(buffer, *other)) continue;
    if (offset + buffer.bytes() <= other->offset) break;
    offset = std::max(offset, other->offset + other->bytes());
  }
  return offset;
}

}  // namespace

Expected<std::size_t> assign_offsets(std::span<Buffer> buffers) {
  std::vector<Buffer*> order;
  for (Buffer& buffer : buffers) {
    if (buffer.used()) order.push_back(&buffer);
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const Buffer* a, const Buffer* b) { return a->bytes() > b->bytes(); });
  std::vector<const Buffer*> placed;
  std::size_t total = 0;
  for (Buffer* buffer : order) {
    buffer->offset = lowest_gap(*buffer, placed);
    total = std::max(total, buffer->offset + buffer->bytes());
    // Before the next one: sums of offsets stay small where std::size_t has 32 bits.
    if (total > kMaxArenaBytes) {
      return invalid_argument("the network would need more than the limit of " +
                              std::to_string(kMaxArenaBytes >> 20U) +
                              " MiB of working memory; give a shorter clip");
    }
    const auto behind =
        std::upper_bound(placed.begin(), placed.end(), buffer,
                         [](const Buffer* a, const Buffer* b) { return a->offset < b->offset; });
    placed.insert(behind, buffer);
  }
  return total;
}

}  // namespace bittern::runtime
