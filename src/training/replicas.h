// What keeps the networks of several processes one and the same network.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/status.h"
#include "training/modules.h"
#include "training/process_group.h"

namespace bittern::training {

// Gradients of `parameters`, `moving_averages` and `values` become those of the whole batch, of which this
// rank's slice is `share`: the sum over ranks of share * own. A parameter without a gradient stays so: it has
// none on any rank.
Status average_step(ProcessGroup& group, const std::vector<Parameter>& parameters,
                    const std::vector<at::Tensor>& moving_averages, std::span<double> values, double share);

// All processes must hold what rank 0 holds. The error is `problem` behind the ranks that do not, as in
// "rank 1" + ": other clips than at rank 0".
Status expect_same(ProcessGroup& group, const std::string& own, std::string_view problem);

// Of names and values, to the last bit.
std::string digest_of(const std::vector<NamedTensor>& tensors);

}  // namespace bittern::training
