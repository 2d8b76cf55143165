#include "audio/unfinished_wav.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <limits>

namespace bittern::audio {
namespace {

struct ChunkHead {
  std::array<char, 4> id;
  std::uint32_t size;
};

std::optional<ChunkHead> chunk_at(int descriptor, std::int64_t at) {
  std::array<unsigned char, 8> bytes = {};
  if (::pread(descriptor, bytes.data(), bytes.size(), at) != static_cast<ssize_t>(bytes.size()))
    return std::nullopt;
  ChunkHead head = {};
  std::memcpy(head.id.data(), bytes.data(), head.id.size());
  for (std::size_t i = bytes.size(); i > 4; --i) head.size = head.size << 8U | bytes[i - 1];
  return head;
}

bool is(const ChunkHead& head, const char* id) { return std::memcmp(head.id.data(), id, 4) == 0; }

}  // namespace

std::optional<UnfinishedWav> UnfinishedWav::find(int descriptor) {
  struct stat status = {};
  if (::fstat(descriptor, &status) != 0) return std::nullopt;
  const std::optional<ChunkHead> riff = chunk_at(descriptor, 0);
  if (!riff || !is(*riff, "RIFF")) return std::nullopt;
  constexpr int kMostChunks = 64;
  std::int64_t at = 12;
  for (int i = 0; i < kMostChunks; ++i) {
    const std::optional<ChunkHead> head = chunk_at(descriptor, at);
    if (!head) return std::nullopt;
    if (is(*head, "data")) {
      // Where the whole is known to go on, other chunks follow a recording of nothing.
      const bool ends_here = riff->size <= at || riff->size == std::numeric_limits<std::uint32_t>::max();
      if (head->size != 0 || !ends_here || status.st_size <= at + 8) return std::nullopt;
      return UnfinishedWav(descriptor, at + 4, status.st_size);
    }
    at += 8 + std::int64_t{head->size} + head->size % 2;
  }
  return std::nullopt;
}

UnfinishedWav::UnfinishedWav(int descriptor, std::int64_t size_at, std::int64_t length)
    : descriptor_(descriptor), size_at_(size_at), size_{}, length_(length) {
  const auto size = static_cast<std::uint32_t>(
      std::min<std::int64_t>(length - size_at - 4, std::numeric_limits<std::uint32_t>::max()));
  for (std::size_t i = 0; i < size_.size(); ++i) size_[i] = static_cast<unsigned char>(size >> (8 * i));
}

SNDFILE* UnfinishedWav::open(SF_INFO* info) {
  SF_VIRTUAL_IO calls = {&length, &seek, &read, &write, &tell};
  return sf_open_virtual(&calls, SFM_READ, info, this);
}

sf_count_t UnfinishedWav::length(void* self) { return static_cast<UnfinishedWav*>(self)->length_; }

sf_count_t UnfinishedWav::seek(sf_count_t offset, int whence, void* self) {
  auto& file = *static_cast<UnfinishedWav*>(self);
  const std::int64_t base = whence == SEEK_SET ? 0 : whence == SEEK_CUR ? file.position_ : file.length_;
  return file.position_ = std::max<std::int64_t>(base + offset, 0);
}

sf_count_t UnfinishedWav::read(void* bytes, sf_count_t count, void* self) {
  auto& file = *static_cast<UnfinishedWav*>(self);
  const ssize_t got = ::pread(file.descriptor_, bytes,
                              static_cast<std::size_t>(std::max<sf_count_t>(count, 0)), file.position_);
  if (got <= 0) return 0;
  for (std::size_t i = 0; i < file.size_.size(); ++i) {
    const std::int64_t place = file.size_at_ + static_cast<std::int64_t>(i) - file.position_;
    if (place >= 0 && place < got) static_cast<unsigned char*>(bytes)[place] = file.size_[i];
  }
  file.position_ += got;
  return got;
}

sf_count_t UnfinishedWav::write(const void*, sf_count_t, void*) { return 0; }

sf_count_t UnfinishedWav::tell(void* self) { return static_cast<UnfinishedWav*>(self)->position_; }

}  // namespace bittern::audio
