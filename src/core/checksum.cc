#include "core/checksum.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

#include <new>

namespace bittern {
namespace {
XXH3_state_t* as_state(void* bytes) { return std::launder(reinterpret_cast<XXH3_state_t*>(bytes)); }
const XXH3_state_t* as_state(const void* bytes) {
  return std::launder(reinterpret_cast<const XXH3_state_t*>(bytes));
}
}  // namespace

std::uint64_t checksum(std::span<const std::byte> bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

Digest::Digest() {
  static_assert(sizeof(XXH3_state_t) <= sizeof(State) && alignof(XXH3_state_t) <= alignof(State));
  new (state_.bytes) XXH3_state_t{};
  XXH3_64bits_reset(as_state(state_.bytes));
}
void Digest::add(std::span<const std::byte> bytes) {
  XXH3_64bits_update(as_state(state_.bytes), bytes.data(), bytes.size());
}
std::uint64_t Digest::value() const { return XXH3_64bits_digest(as_state(state_.bytes)); }

}  // namespace bittern
