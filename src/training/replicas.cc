#include "training/replicas.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstddef>

#include "core/checksum.h"
#include "training/torch.h"

namespace bittern::training {

Status average_step(ProcessGroup& group, const std::vector<Parameter>& parameters,
                    const std::vector<at::Tensor>& moving_averages, std::span<double> values, double share) {
  if (group.size() == 1) return {};
  const at::Tensor numbers = at::from_blob(values.data(), {static_cast<std::int64_t>(values.size())},
                                           at::TensorOptions().dtype(at::kDouble));
  const at::Tensor floats = numbers.to(at::kFloat);
  std::vector<at::Tensor> tensors{floats};
  tensors.insert(tensors.end(), moving_averages.begin(), moving_averages.end());
  for (const Parameter& parameter : parameters)
    if (parameter.value.grad().defined()) tensors.push_back(parameter.value.grad());
  BITTERN_RETURN_IF_ERROR(group.average(tensors, share));
  numbers.copy_(floats);
  return {};
}

Status expect_same(ProcessGroup& group, const std::string& own, std::string_view problem) {
  BITTERN_ASSIGN_OR_RETURN(const std::vector<std::string> all, group.gather(own));
  std::vector<std::size_t> different;
  for (std::size_t rank = 1; rank < all.size(); ++rank)
    if (all[rank] != all[0]) different.push_back(rank);
  if (different.empty()) return {};
  return invalid_argument(
      fmt::format("rank{} {}{}", different.size() == 1 ? "" : "s", fmt::join(different, ", "), problem));
}

std::string digest_of(const std::vector<NamedTensor>& tensors) {
  Digest digest;
  for (const NamedTensor& tensor : tensors) {
    const at::Tensor values = tensor.value.detach().cpu().contiguous();
    digest.add(std::as_bytes(std::span(tensor.name)));
    digest.add({static_cast<const std::byte*>(values.data_ptr()), values.nbytes()});
  }
  return fmt::format("{:016x}", digest.value());
}

}  // namespace bittern::training
