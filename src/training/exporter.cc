#include "training/exporter.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <span>
#include <string_view>
#include <utility>

#include "core/aligned.h"
#include "core/bits.h"
#include "core/int8_kernel.h"
#include "runtime/self_test.h"
#include "training/torch.h"

namespace bittern::training {
namespace {

// Lays tensors one behind the other into one aligned block: first sized, then filled in the same order.
class Storage {
 public:
  explicit Storage(std::size_t bytes) : buffer_(std::make_shared<AlignedBuffer<std::byte>>(bytes)) {}
  bool ok() const { return buffer_->data() != nullptr; }

  template <class T>
  std::span<T> take(std::size_t count) {
    if (count == 0) return {};
    auto* data = reinterpret_cast<T*>(buffer_->data() + used_);
    used_ += align_up(count * sizeof(T));
    return {data, count};
  }
  std::span<const float> copy(const at::Tensor& tensor, std::size_t count) {
    const std::span<float> to = take<float>(count);
    if (count == 0) return {};
    const at::Tensor values = tensor.detach().cpu().contiguous();
    std::memcpy(to.data(), values.data_ptr<float>(), to.size_bytes());
    return to;
  }
  std::shared_ptr<const void> owner() const { return buffer_; }

  static std::size_t bytes(const model::LayerSizes& sizes) {
    return align_up(sizes.kernel * sizeof(float)) + align_up(sizes.bits * sizeof(std::uint64_t)) +
           align_up(sizes.scale * sizeof(float)) + align_up(sizes.bias * sizeof(float)) +
           align_up(sizes.norm_scale * sizeof(float)) + align_up(sizes.norm_bias * sizeof(float)) +
           align_up(sizes.int8_kernel);
  }

 private:
  std::shared_ptr<AlignedBuffer<std::byte>> buffer_;
  std::size_t used_ = 0;
};

struct Export {
  const TrainableNetwork& network;
  int layer;
  const model::LayerSizes& sizes;
  Storage& storage;

  const LayerTensors& tensors() const { return network.tensors(layer); }

  model::LayerWeights operator()(const graph::Conv2d& op) const {
    model::LayerWeights weights;
    if (op.int8) {
      const TrainableNetwork::Int8Kernel kernel = network.int8_kernel(layer);
      const std::span<std::int8_t> packed = storage.take<std::int8_t>(sizes.int8_kernel);
      const at::Tensor values = kernel.values.contiguous();  // [time, frequency, in, out]
      pack_int8_kernel(values.data_ptr<std::int8_t>(), op.out_channels, op.kernel.time,
                       op.kernel.frequency * static_cast<int>(values.size(2)), packed.data());
      weights.int8_kernel = packed;
      weights.scale = storage.copy(kernel.scale, sizes.scale);
      return weights;
    }
    weights.kernel = storage.copy(tensors().kernel, sizes.kernel);
    weights.bias = storage.copy(tensors().bias, sizes.bias);
    return weights;
  }
  model::LayerWeights operator()(const graph::BinaryConv2d&) const {
    model::LayerWeights weights;
    const TrainableNetwork::BinaryKernel kernel = network.binary_kernel(layer);
    const std::span<std::uint64_t> bits = storage.take<std::uint64_t>(sizes.bits);
    const at::Tensor signs = kernel.signs.contiguous();  // [taps, in, out]
    pack_kernel(signs.data_ptr<float>(), static_cast<int>(signs.size(2)), static_cast<int>(signs.size(0)),
                static_cast<int>(signs.size(1)), bits.data());
    weights.bits = bits;
    weights.scale = storage.copy(kernel.scale, sizes.scale);
    return weights;
  }
  model::LayerWeights operator()(const graph::BatchNorm& op) const {
    model::LayerWeights weights;
    const FoldedBatchNorm folded = fold(tensors().norm, op.epsilon);
    weights.scale = storage.copy(folded.scale, sizes.scale);
    weights.bias = storage.copy(folded.bias, sizes.bias);
    return weights;
  }
  model::LayerWeights operator()(const graph::Prelu&) const {
    model::LayerWeights weights;
    weights.scale = storage.copy(tensors().scale, sizes.scale);
    return weights;
  }
  model::LayerWeights operator()(const graph::Exit& op) const {
    model::LayerWeights weights;
    if (op.norm != graph::ExitNorm::kNone) {
      const FoldedBatchNorm folded = fold(tensors().norm, op.norm_epsilon);
      weights.norm_scale = storage.copy(folded.scale, sizes.norm_scale);
      weights.norm_bias = storage.copy(folded.bias, sizes.norm_bias);
    }
    if (op.dense == graph::ExitDense::kBinary) {
      const at::Tensor rows = network.binary_kernel(layer).signs.t().contiguous();  // [classes, inputs]
      const std::span<std::uint64_t> bits = storage.take<std::uint64_t>(sizes.bits);
      const auto inputs = static_cast<int>(rows.size(1));
      const auto words = static_cast<std::size_t>(words_for(inputs));
      for (std::int64_t row = 0; row < rows.size(0); ++row)
        pack_row(rows.data_ptr<float>() + row * inputs, inputs,
                 bits.data() + static_cast<std::size_t>(row) * words);
      weights.bits = bits;
      weights.scale = storage.copy(tensors().scale, sizes.scale);
    } else if (op.dense == graph::ExitDense::kInt8) {
      const TrainableNetwork::Int8Kernel kernel = network.int8_kernel(layer);
      const at::Tensor rows = kernel.values.t().contiguous();  // [classes, inputs]
      const std::span<std::int8_t> values = storage.take<std::int8_t>(sizes.int8_kernel);
      std::copy_n(rows.data_ptr<std::int8_t>(), values.size(), values.begin());
      weights.int8_kernel = values;
      weights.scale = storage.copy(kernel.scale, sizes.scale);
    } else {
      weights.kernel = storage.copy(tensors().kernel, sizes.kernel);
    }
    weights.bias = storage.copy(tensors().bias, sizes.bias);
    return weights;
  }
  template <class Op>
  model::LayerWeights operator()(const Op&) const {
    return {};
  }
};

}  // namespace

Expected<std::shared_ptr<const model::Model>> export_model(const TrainableNetwork& network,
                                                           const features::LogMelSpec& front_end,
                                                           std::vector<std::string> labels,
                                                           model::Provenance provenance) {
  const graph::Network& graph = network.network();
  std::size_t bytes = 0;
  std::vector<model::LayerSizes> sizes;
  for (std::size_t i = 0; i < graph.layers().size(); ++i) {
    sizes.push_back(model::sizes_of(graph, static_cast<int>(i)));
    bytes += Storage::bytes(sizes.back());
  }
  Storage storage(bytes);
  if (!storage.ok())
    return Error{ErrorCode::kOutOfMemory, fmt::format("no memory for a model of {} bytes", bytes)};

  std::vector<model::LayerWeights> weights;
  for (std::size_t i = 0; i < graph.layers().size(); ++i)
    weights.push_back(
        std::visit(Export{network, static_cast<int>(i), sizes[i], storage}, graph.layers()[i].op));

  auto model = std::make_shared<model::Model>(
      model::Model{graph,
                   std::move(weights),
                   front_end,
                   std::move(labels),
                   std::vector<float>(static_cast<std::size_t>(graph.exit_count()), 1.0F),
                   {},
                   std::move(provenance),
                   std::nullopt,
                   storage.owner()});
  BITTERN_RETURN_IF_ERROR(model::validate(*model));
  BITTERN_ASSIGN_OR_RETURN(model->self_test, runtime::compute_self_test(model));
  return std::shared_ptr<const model::Model>(std::move(model));
}

Expected<std::string> source_date() {
  const char* text = std::getenv("SOURCE_DATE_EPOCH");
  if (text == nullptr) return std::string();
  const std::string_view digits(text);
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), seconds);
  constexpr std::int64_t kLast = 253402300799;  // the end of the year 9999
  if (error != std::errc() || end != digits.data() + digits.size() || seconds < 0 || seconds > kLast)
    return invalid_argument(fmt::format("SOURCE_DATE_EPOCH is '{}': must be seconds since 1970", digits));
  const auto time = static_cast<std::time_t>(seconds);
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(time));
}

}  // namespace bittern::training
