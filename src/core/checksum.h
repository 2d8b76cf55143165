// One 64-bit hash for everything that is checked or digested: XXH3 (libxxhash, header only).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace bittern {

// The same on every machine: defined over bytes, numbers are little-endian in all our formats.
std::uint64_t checksum(std::span<const std::byte> bytes);

// A digest over several pieces in turn: checksum of their concatenation.
class Digest {
 public:
  Digest();
  Digest(const Digest&) = delete;
  Digest& operator=(const Digest&) = delete;
  void add(std::span<const std::byte> bytes);
  std::uint64_t value() const;

 private:
  struct alignas(64) State {
    std::byte bytes[640];
  };
  State state_;
};

}  // namespace bittern
