// The generated schema, and that its numbers are those of graph's enumerations. For reader.cc and writer.cc
// only.
#pragma once

#include <bit>

#include "graph/network.h"
#include "model/model_generated.h"

namespace bittern::model {

// Tensors and scalars are used where they lie in the file, which is little-endian.
static_assert(std::endian::native == std::endian::little, "Bittern needs a little-endian machine");

template <class Theirs, class Ours>
constexpr bool same(Theirs theirs, Ours ours) {
  return static_cast<int>(theirs) == static_cast<int>(ours);
}

static_assert(same(schema::Padding::Valid, graph::Padding::kValid));
static_assert(same(schema::Padding::Same, graph::Padding::kSame));
static_assert(same(schema::BinaryPadding::Zero, graph::BinaryPadding::kZero));
static_assert(same(schema::BinaryPadding::One, graph::BinaryPadding::kOne));
static_assert(same(schema::Initializer::GlorotNormal, graph::Initializer::kGlorotNormal));
static_assert(same(schema::Initializer::GlorotUniform, graph::Initializer::kGlorotUniform));
static_assert(same(schema::Initializer::HeNormal, graph::Initializer::kHeNormal));
static_assert(same(schema::Initializer::Blur, graph::Initializer::kBlur));
static_assert(same(schema::Quantizer::SteSign, graph::Quantizer::kSteSign));
static_assert(same(schema::Quantizer::ApproxSign, graph::Quantizer::kApproxSign));
static_assert(same(schema::Quantizer::MagnitudeAwareSign, graph::Quantizer::kMagnitudeAwareSign));
static_assert(same(schema::ExitNorm::None, graph::ExitNorm::kNone));
static_assert(same(schema::ExitNorm::BeforePool, graph::ExitNorm::kBeforePool));
static_assert(same(schema::ExitNorm::AfterPool, graph::ExitNorm::kAfterPool));
static_assert(same(schema::ExitPool::Global, graph::ExitPool::kGlobal));
static_assert(same(schema::ExitPool::Time, graph::ExitPool::kTime));
static_assert(same(schema::ExitDense::Binary, graph::ExitDense::kBinary));
static_assert(same(schema::ExitDense::Float, graph::ExitDense::kFloat));
static_assert(same(schema::ExitDense::Int8, graph::ExitDense::kInt8));

}  // namespace bittern::model
