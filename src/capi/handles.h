// What the handles of bittern.h are, and how errors cross to C.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <new>
#include <string_view>
#include <utility>
#include <vector>

#include "bittern/bittern.h"
#include "core/status.h"
#include "model/model.h"
#include "runtime/session.h"

// NOLINTBEGIN(readability-identifier-naming): as bittern.h names them
struct bittern_model {
  std::shared_ptr<const bittern::model::Model> model;
  std::vector<const char*> labels;
  std::vector<bittern_operating_point> operating_points;
  bittern_info info{};
};

struct bittern_session {
  bittern_session(bittern::runtime::Session opened, const bittern::exits::Policy& chosen,
                  std::vector<std::uint8_t> allowed)
      : session(std::move(opened)), policy(chosen), only(std::move(allowed)) {}

  bittern::runtime::Session session;
  bittern::exits::Policy policy;
  std::vector<std::uint8_t> only;

  bittern_result result{};  // of bittern_classify

  // Of bittern_classify_exits: one per exit, or none where the latest call was another.
  std::vector<bittern_result> exits;
  bool exits_valid = false;
  std::vector<float> logits, probabilities;  // [exits, classes]

  std::array<char, 512> error{};
};
// NOLINTEND(readability-identifier-naming)

namespace bittern::capi {

// As C sees an answer whose probabilities lie at `probabilities`.
inline bittern_result result_of(const runtime::Classification& answer, const float* probabilities) {
  return {.label = answer.label,
          .exit = answer.exit,
          .probability = probabilities[answer.label],
          .entropy = answer.entropy,
          .probabilities = probabilities,
          .macs_share = answer.macs_share,
          .macs_binary = answer.macs.binary,
          .macs_float = answer.macs.floating};
}

// Cut where the buffer ends, never inside a character.
inline void copy_text(std::string_view text, char* buffer, std::size_t size) {
  if (buffer == nullptr || size == 0) return;
  std::size_t length = text.size();
  if (length > size - 1) {
    length = size - 1;
    while (length > 0 && (static_cast<unsigned char>(text[length]) & 0xC0U) == 0x80U) --length;
  }
  text.copy(buffer, length);
  buffer[length] = '\0';
}

inline bittern_status status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return BITTERN_INVALID_ARGUMENT;
    case ErrorCode::kNotFound:
      return BITTERN_NOT_FOUND;
    case ErrorCode::kIo:
      return BITTERN_IO_ERROR;
    case ErrorCode::kCorrupt:
      return BITTERN_CORRUPT;
    case ErrorCode::kUnsupported:
      return BITTERN_UNSUPPORTED;
    case ErrorCode::kOutOfMemory:
      return BITTERN_OUT_OF_MEMORY;
    case ErrorCode::kCancelled:
    case ErrorCode::kInternal:
      break;
  }
  return BITTERN_INTERNAL;
}

// Runs `call`, which returns a Status, and lets neither its error nor an exception through as anything but a
// bittern_status and a line of text.
template <class Call>
bittern_status guarded(char* error, std::size_t error_size, Call&& call) noexcept {
  try {
    const Status status = call();
    if (status.ok()) return BITTERN_OK;
    copy_text(status.error().message, error, error_size);
    return status_of(status.error().code);
  } catch (const std::bad_alloc&) {
    copy_text("out of memory", error, error_size);
    return BITTERN_OUT_OF_MEMORY;
  } catch (const std::exception& exception) {
    copy_text(exception.what(), error, error_size);
  } catch (...) {
    copy_text("an unknown exception", error, error_size);
  }
  return BITTERN_INTERNAL;
}

}  // namespace bittern::capi
