// Models and what can be asked of them without a session.
#include <limits>

#include "capi/handles.h"
#include "capi/options.h"
#include "model/file.h"
#include "runtime/self_test.h"

namespace bittern::capi {
namespace {

Status make_handle(std::shared_ptr<const model::Model> opened, bittern_model** result) {
  auto handle = std::make_unique<bittern_model>();
  handle->model = std::move(opened);
  const model::Model& model = *handle->model;
  for (const std::string& label : model.labels) handle->labels.push_back(label.c_str());
  for (const model::OperatingPoint& point : model.operating_points)
    handle->operating_points.push_back({point.name.c_str(), point.promise.c_str()});
  handle->info = {.sample_rate = model.front_end.sample_rate,
                  .window_samples = static_cast<std::size_t>(model.front_end.clip_samples),
                  .label_count = static_cast<int>(model.labels.size()),
                  .labels = handle->labels.data(),
                  .exit_count = model.network.exit_count(),
                  .architecture = model.network.architecture().c_str(),
                  .format_major = model::kFormatMajor,
                  .format_minor = model::kFormatMinor,
                  .operating_point_count = static_cast<int>(model.operating_points.size()),
                  .operating_points = handle->operating_points.data()};
  *result = handle.release();
  return {};
}

}  // namespace
}  // namespace bittern::capi

using bittern::invalid_argument;
using bittern::Status;
using bittern::capi::guarded;

const char* bittern_version(void) noexcept { return BITTERN_VERSION; }

bittern_status bittern_open(const char* path, bittern_model** model, char* error,
                            size_t error_size) noexcept {
  return guarded(error, error_size, [&]() -> Status {
    if (path == nullptr || model == nullptr) return invalid_argument("bittern_open: path or model is NULL");
    BITTERN_ASSIGN_OR_RETURN(auto opened, bittern::model::open(path));
    return bittern::capi::make_handle(std::move(opened), model);
  });
}

bittern_status bittern_open_memory(const void* bytes, size_t size, bittern_model** model, char* error,
                                   size_t error_size) noexcept {
  return guarded(error, error_size, [&]() -> Status {
    if ((bytes == nullptr && size != 0) || model == nullptr)
      return invalid_argument("bittern_open_memory: bytes or model is NULL");
    BITTERN_ASSIGN_OR_RETURN(auto opened,
                             bittern::model::read_copy({static_cast<const std::byte*>(bytes), size}));
    return bittern::capi::make_handle(std::move(opened), model);
  });
}

void bittern_close(bittern_model* model) noexcept { const std::unique_ptr<bittern_model> owned(model); }

const bittern_info* bittern_get_info(const bittern_model* model) noexcept {
  return model == nullptr ? nullptr : &model->info;
}

bittern_status bittern_self_test(const bittern_model* model, char* error, size_t error_size) noexcept {
  return guarded(error, error_size, [&]() -> Status {
    if (model == nullptr) return invalid_argument("bittern_self_test: model is NULL");
    return bittern::runtime::run_self_test(model->model);
  });
}

bittern_status bittern_memory_needed(const bittern_model* model, size_t count, int segment, size_t* bytes,
                                     char* error, size_t error_size) noexcept {
  return guarded(error, error_size, [&]() -> Status {
    if (model == nullptr || bytes == nullptr)
      return invalid_argument("bittern_memory_needed: model or bytes is NULL");
    if (count > static_cast<std::size_t>(std::numeric_limits<std::int64_t>::max()))
      return invalid_argument("bittern_memory_needed: count is absurd");
    BITTERN_ASSIGN_OR_RETURN(const auto looked_at, bittern::capi::segment_of(segment));
    BITTERN_ASSIGN_OR_RETURN(*bytes, bittern::runtime::Session::required_arena_bytes(
                                         *model->model, static_cast<std::int64_t>(count), looked_at));
    return {};
  });
}
