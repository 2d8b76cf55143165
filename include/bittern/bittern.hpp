// A thin C++17 wrapper on bittern.h: handles that close themselves, errors as exceptions. Header only.
//
//     bittern::api::Model model = bittern::api::Model::open("words.bittern");
//     bittern::api::Session session(model);
//     std::puts(model.info().labels[session.classify(samples.data(), samples.size()).label]);
#ifndef BITTERN_BITTERN_HPP_
#define BITTERN_BITTERN_HPP_

#include <bittern/bittern.h>

#include <memory>
#include <stdexcept>
#include <string>

namespace bittern::api {

class Failure : public std::runtime_error {
 public:
  Failure(bittern_status status, const char* message) : std::runtime_error(message), status_(status) {}
  bittern_status status() const noexcept { return status_; }

 private:
  bittern_status status_;
};

namespace detail {
// Calls f(error, error_size) and throws what it says.
template <class F>
void check(F&& f) {
  char error[512] = "";
  const bittern_status status = f(error, sizeof(error));
  if (status != BITTERN_OK) throw Failure(status, error);
}
}  // namespace detail

class Model {
 public:
  static Model open(const std::string& path) {
    bittern_model* handle = nullptr;
    detail::check(
        [&](char* error, std::size_t size) { return bittern_open(path.c_str(), &handle, error, size); });
    return Model(handle);
  }
  static Model open_memory(const void* bytes, std::size_t count) {
    bittern_model* handle = nullptr;
    detail::check([&](char* error, std::size_t size) {
      return bittern_open_memory(bytes, count, &handle, error, size);
    });
    return Model(handle);
  }

  const bittern_info& info() const noexcept { return *bittern_get_info(handle_.get()); }
  void self_test() const {
    detail::check(
        [&](char* error, std::size_t size) { return bittern_self_test(handle_.get(), error, size); });
  }
  std::size_t memory_needed(std::size_t samples, bittern_segment segment = BITTERN_WHOLE) const {
    std::size_t bytes = 0;
    detail::check([&](char* error, std::size_t size) {
      return bittern_memory_needed(handle_.get(), samples, segment, &bytes, error, size);
    });
    return bytes;
  }
  const bittern_model* get() const noexcept { return handle_.get(); }

 private:
  struct Close {
    void operator()(bittern_model* model) const noexcept { bittern_close(model); }
  };
  explicit Model(bittern_model* handle) : handle_(handle) {}
  std::unique_ptr<bittern_model, Close> handle_;
};

class Session {
 public:
  explicit Session(const Model& model, const bittern_options& options = BITTERN_OPTIONS_INIT) {
    bittern_session* handle = nullptr;
    detail::check([&](char* error, std::size_t size) {
      return bittern_session_open(model.get(), &options, &handle, error, size);
    });
    handle_.reset(handle);
  }

  // The result is valid until the next classify() or classify_exits().
  const bittern_result& classify(const float* samples, std::size_t count) {
    const bittern_result* result = nullptr;
    check(bittern_classify(handle_.get(), samples, count, &result));
    return *result;
  }
  void classify_exits(const float* samples, std::size_t count) {
    check(bittern_classify_exits(handle_.get(), samples, count));
  }
  const bittern_result* exit_result(int exit) const noexcept {
    return bittern_exit_result(handle_.get(), exit);
  }

 private:
  struct Close {
    void operator()(bittern_session* session) const noexcept { bittern_session_close(session); }
  };
  void check(bittern_status status) const {
    if (status != BITTERN_OK) throw Failure(status, bittern_session_error(handle_.get()));
  }
  std::unique_ptr<bittern_session, Close> handle_;
};

class Batch {
 public:
  Batch(const Model& model, int threads, const bittern_options& options = BITTERN_OPTIONS_INIT) {
    bittern_batch* handle = nullptr;
    detail::check([&](char* error, std::size_t size) {
      return bittern_batch_open(model.get(), &options, threads, &handle, error, size);
    });
    handle_.reset(handle);
  }

  // [count], valid until the next call. Where a clip fails, so does the call.
  const bittern_result* classify(const bittern_clip* clips, std::size_t count) {
    const bittern_result* results = nullptr;
    const bittern_status status = bittern_batch_classify(handle_.get(), clips, count, &results);
    if (status != BITTERN_OK) throw Failure(status, bittern_batch_error(handle_.get()));
    return results;
  }

 private:
  struct Close {
    void operator()(bittern_batch* batch) const noexcept { bittern_batch_close(batch); }
  };
  std::unique_ptr<bittern_batch, Close> handle_;
};

}  // namespace bittern::api

#endif  // BITTERN_BITTERN_HPP_
