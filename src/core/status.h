// Errors as values: every function that can fail returns Expected<T> or Status. Nothing in libbittern throws
// but std::bad_alloc where memory ends, and that only what is not noexcept; it does not cross the C API.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace bittern {

enum class ErrorCode {
  kInvalidArgument,  // the caller's mistake: a bad option, shape or spec
  kNotFound,         // a file, layer, label or name that does not exist
  kIo,               // reading or writing failed
  kCorrupt,          // data from outside that does not hold together
  kUnsupported,      // well-formed, but newer or other than this build handles
  kOutOfMemory,
  kCancelled,  // interrupted by the user
  kInternal,
};

// `message` is one line for a person: what was wrong, where, and what to do.
struct Error {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;
};

inline Error invalid_argument(std::string message) {
  return {ErrorCode::kInvalidArgument, std::move(message)};
}
inline Error not_found(std::string message) { return {ErrorCode::kNotFound, std::move(message)}; }
inline Error io_error(std::string message) { return {ErrorCode::kIo, std::move(message)}; }
inline Error corrupt(std::string message) { return {ErrorCode::kCorrupt, std::move(message)}; }
inline Error unsupported(std::string message) { return {ErrorCode::kUnsupported, std::move(message)}; }

// A T, or the Error that prevented it. value() may only be called when ok().
template <class T>
class [[nodiscard]] Expected {
 public:
  Expected(T value)
      : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Expected(Error error)
      : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return state_.index() == 0; }
  explicit operator bool() const { return ok(); }

  T& value() & { return *std::get_if<0>(&state_); }
  const T& value() const& { return *std::get_if<0>(&state_); }
  T&& value() && { return std::move(*std::get_if<0>(&state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T&& operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }

  const Error& error() const { return *std::get_if<1>(&state_); }

 private:
  std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Expected<void> {
 public:
  Expected() = default;
  Expected(Error error) : error_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const { return !error_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Error& error() const { return *error_; }

 private:
  std::optional<Error> error_;
};

using Status = Expected<void>;

}  // namespace bittern

#define BITTERN_CONCAT_INNER(a, b) a##b
#define BITTERN_CONCAT(a, b) BITTERN_CONCAT_INNER(a, b)

// BITTERN_RETURN_IF_ERROR(status_expression);
#define BITTERN_RETURN_IF_ERROR(expression)                         \
  do {                                                              \
    if (auto bittern_status = (expression); !bittern_status.ok()) { \
      return bittern_status.error();                                \
    }                                                               \
  } while (false)

// BITTERN_ASSIGN_OR_RETURN(auto value, expected_expression); a declaration takes no parentheses.
// NOLINTBEGIN(bugprone-macro-parentheses)
#define BITTERN_ASSIGN_OR_RETURN(declaration, expression)          \
  auto BITTERN_CONCAT(bittern_expected_, __LINE__) = (expression); \
  if (!BITTERN_CONCAT(bittern_expected_, __LINE__).ok()) {         \
    return BITTERN_CONCAT(bittern_expected_, __LINE__).error();    \
  }                                                                \
  declaration = std::move(BITTERN_CONCAT(bittern_expected_, __LINE__)).value()
// NOLINTEND(bugprone-macro-parentheses)
