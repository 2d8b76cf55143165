#include <gtest/gtest.h>

#include "graph/network.h"

namespace bittern::graph {
namespace {

// By counting positions instead of dividing.
Window counted(int input, int kernel, int stride, Padding padding) {
  Window result;
  if (padding == Padding::kValid) {
    while (result.output * stride + kernel <= input) ++result.output;
    return result;
  }
  while (result.output * stride < input) ++result.output;
  int total = 0;
  while ((result.output - 1) * stride + kernel > input + total) ++total;
  result.before = total / 2;
  return result;
}

TEST(Window, AgreesWithCounting) {
  for (const Padding padding : {Padding::kValid, Padding::kSame}) {
    for (int kernel = 1; kernel <= 8; ++kernel) {
      for (int stride = 1; stride <= 5; ++stride) {
        for (int input = kernel; input <= 40; ++input) {
          const Window expected = counted(input, kernel, stride, padding);
          const Window found = window(input, kernel, stride, padding);
          ASSERT_EQ(found.output, expected.output) << input << " " << kernel << " " << stride;
          ASSERT_EQ(found.before, expected.before) << input << " " << kernel << " " << stride;
        }
      }
    }
  }
}

TEST(Window, PaddedSmallInputs) {
  for (int kernel = 1; kernel <= 8; ++kernel) {
    for (int stride = 1; stride <= 5; ++stride) {
      for (int input = 1; input < kernel; ++input) {
        const Window expected = counted(input, kernel, stride, Padding::kSame);
        const Window found = window(input, kernel, stride, Padding::kSame);
        ASSERT_EQ(found.output, expected.output) << input << " " << kernel << " " << stride;
        ASSERT_EQ(found.before, expected.before) << input << " " << kernel << " " << stride;
        // Every window sees some of the input: a pool never has nothing to pool.
        ASSERT_LT(found.before, kernel);
        ASSERT_LT((found.output - 1) * stride - found.before, input);
      }
    }
  }
}

// The cases that TensorFlow's documentation of SAME makes surprising: the odd row goes to the end.
TEST(Window, KnownCases) {
  EXPECT_EQ(window(98, 3, 2, Padding::kSame).output, 49);
  EXPECT_EQ(window(98, 3, 2, Padding::kSame).before, 0);
  EXPECT_EQ(window(98, 7, 2, Padding::kSame).output, 49);
  EXPECT_EQ(window(98, 7, 2, Padding::kSame).before, 2);
  EXPECT_EQ(window(49, 3, 2, Padding::kSame).output, 25);
  EXPECT_EQ(window(49, 3, 2, Padding::kSame).before, 1);
  EXPECT_EQ(window(32, 3, 2, Padding::kSame).output, 16);
  EXPECT_EQ(window(32, 3, 2, Padding::kSame).before, 0);
}

}  // namespace
}  // namespace bittern::graph
