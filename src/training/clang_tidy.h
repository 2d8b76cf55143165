// For clang-tidy alone, before all else (.clang-tidy of this room and of its tests). Clang 14 looks into the
// constexpr members of std::vector<c10::IValue> where libtorch has not yet defined IValue, and gives up; so
// here they are not constexpr.
#pragma once

#include <memory>
#include <string>

#undef _GLIBCXX20_CONSTEXPR
#define _GLIBCXX20_CONSTEXPR
#define __fill_a1 __fill_bits  // declared before, as constexpr
#include <vector>
#undef __fill_a1
#undef _GLIBCXX20_CONSTEXPR
#define _GLIBCXX20_CONSTEXPR constexpr
