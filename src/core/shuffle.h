// A random order, the same for the same draws.
#pragma once

#include <cstddef>
#include <numeric>
#include <utility>
#include <vector>

#include "core/random.h"

namespace bittern {

// Fisher and Yates.
template <class T>
void shuffle(std::vector<T>& order, Random& random) {
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
}

// The numbers from 0 to count - 1.
inline std::vector<int> shuffled(int count, Random& random) {
  std::vector<int> order(static_cast<std::size_t>(count));
  std::iota(order.begin(), order.end(), 0);
  shuffle(order, random);
  return order;
}

}  // namespace bittern
