#include "features/mel_filters.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "features/textbook.h"

namespace bittern::features {
namespace {

// The sparse form spread out again: [mel_bins][fft_size / 2 + 1].
std::vector<std::vector<double>> spread(const LogMelSpec& spec, const MelFilters& filters) {
  std::vector<std::vector<double>> matrix(
      static_cast<std::size_t>(spec.mel_bins),
      std::vector<double>(static_cast<std::size_t>(spec.fft_size) / 2 + 1));
  for (int s = 0; s <= spec.mel_bins; ++s) {
    for (int bin = filters.first[static_cast<std::size_t>(s)];
         bin < filters.first[static_cast<std::size_t>(s) + 1]; ++bin) {
      const auto at = static_cast<std::size_t>(bin - filters.first[0]);
      const auto b = static_cast<std::size_t>(bin);
      if (s < spec.mel_bins)
        matrix[static_cast<std::size_t>(s)][b] += static_cast<double>(filters.rising[at]);
      if (s > 0) matrix[static_cast<std::size_t>(s - 1)][b] += static_cast<double>(filters.falling[at]);
    }
  }
  return matrix;
}

void expect_textbook(const LogMelSpec& spec) {
  SCOPED_TRACE("fft_size " + std::to_string(spec.fft_size) + ", mel_bins " + std::to_string(spec.mel_bins));
  const auto filters = make_mel_filters(spec);
  ASSERT_TRUE(filters.ok()) << filters.error().message;
  ASSERT_EQ(filters->first.size(), static_cast<std::size_t>(spec.mel_bins + 2));
  ASSERT_EQ(filters->rising.size(), static_cast<std::size_t>(filters->first.back() - filters->first.front()));
  ASSERT_EQ(filters->falling.size(), filters->rising.size());
  const auto matrix = spread(spec, *filters);
  const auto reference = textbook::mel_matrix(spec);
  for (std::size_t j = 0; j < matrix.size(); ++j) {
    for (std::size_t bin = 0; bin < matrix[j].size(); ++bin) {
      ASSERT_NEAR(matrix[j][bin], reference[j][bin], 1e-7) << "filter " << j << ", FFT bin " << bin;
    }
  }
}

TEST(MelFilters, AreTheTextbooksTriangles) {
  LogMelSpec spec;
  expect_textbook(spec);
  spec.mel_bins = 40;
  spec.low_hz = 20;
  spec.high_hz = 4000;
  expect_textbook(spec);
  spec.mel_bins = 1;
  expect_textbook(spec);
  spec.low_hz = 0;
  spec.high_hz = 8000;
  expect_textbook(spec);
  spec.fft_size = 8192;
  spec.mel_bins = 128;
  expect_textbook(spec);
}

TEST(MelFilters, NameTheFilterThatCatchesNothing) {
  LogMelSpec spec;
  spec.mel_bins = 300;
  const auto filters = make_mel_filters(spec);
  ASSERT_FALSE(filters.ok());
  // Found by the textbook, too.
  const auto matrix = textbook::mel_matrix(spec);
  std::size_t empty = 0;
  while (*std::max_element(matrix[empty].begin(), matrix[empty].end()) > 0) ++empty;
  EXPECT_NE(filters.error().message.find("mel bin " + std::to_string(empty) + " of 300"), std::string::npos)
      << filters.error().message;
}

}  // namespace
}  // namespace bittern::features
