// WAV files whose writer died before it could say how long they are: recorders that stream leave a size of 0.
#pragma once

#include <sndfile.h>

#include <array>
#include <cstdint>
#include <optional>

namespace bittern::audio {

// Such a file as it would be with the size filled in: all that follows are samples.
class UnfinishedWav {
 public:
  // Nothing where the file is another, or cannot be looked into (a pipe). `descriptor` stays the caller's and
  // must outlive the result.
  static std::optional<UnfinishedWav> find(int descriptor);

  // For reading. This must outlive the result and stay where it is.
  SNDFILE* open(SF_INFO* info);

 private:
  UnfinishedWav(int descriptor, std::int64_t size_at, std::int64_t length);

  static sf_count_t length(void* self);
  static sf_count_t seek(sf_count_t offset, int whence, void* self);
  static sf_count_t read(void* bytes, sf_count_t count, void* self);
  static sf_count_t write(const void* bytes, sf_count_t count, void* self);
  static sf_count_t tell(void* self);

  int descriptor_;
  std::int64_t size_at_;               // where the samples' size is
  std::array<unsigned char, 4> size_;  // what should be there
  std::int64_t length_;                // of the file
  std::int64_t position_ = 0;
};

}  // namespace bittern::audio
