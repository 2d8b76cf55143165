// What becomes one step, what lies inside what, where stages end.
#include "runtime/lower.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "model/random_model.h"
#include "runtime/networks.h"

namespace bittern::runtime {
namespace {

std::vector<const Step*> steps_of(const Plan& plan) {
  std::vector<const Step*> steps;
  for (const Group& group : plan.groups) {
    for (const Step& step : group.steps) steps.push_back(&step);
  }
  return steps;
}

template <class T>
int count(const Plan& plan) {
  const auto steps = steps_of(plan);
  return static_cast<int>(std::count_if(steps.begin(), steps.end(), [](const Step* step) {
    return std::holds_alternative<T>(step->operation);
  }));
}

const Step& find(const Plan& plan, const std::string& name) {
  const auto steps = steps_of(plan);
  const auto found =
      std::find_if(steps.begin(), steps.end(), [&](const Step* step) { return step->name == name; });
  EXPECT_NE(found, steps.end()) << name << " is not a step";
  return **found;
}

Plan plan_of(const std::string& name) {
  // The plan points into the model: models live as long as the tests.
  static std::map<std::string, std::shared_ptr<model::Model>> models;
  auto& model = models[name];
  if (!model) model = model::random_model(architecture(name), 1);
  return lower(*model, 98).value();
}

TEST(Lowering, MakesOneStepOfAQuickNetBlock) {
  const Plan plan = plan_of("quicknet");
  const Step& block =
      find(plan, "s1.b1.conv + s1.b1.relu + s1.b1.bn + s1.b1 + signs of s1.b1 for s1.b2.conv");
  const auto& conv = std::get<BinaryConvStep>(block.operation);
  EXPECT_TRUE(conv.epilogue.relu);
  EXPECT_NE(conv.epilogue.norm_scale, nullptr);
  EXPECT_EQ(conv.epilogue.residual, block.output);  // the sum is written over x
  const Step& next = find(plan, "s1.b2.conv + s1.b2.relu + s1.b2.bn + s1.b2 + signs of s1.b2 for s1.b3.conv");
  EXPECT_EQ(conv.epilogue.signs, next.input);
  EXPECT_EQ(count<BinaryConvStep>(plan), 16);
  EXPECT_EQ(count<PackStep>(plan), 1);  // behind exit 4, which is between two blocks
  EXPECT_EQ(count<AffineStep>(plan) + count<AddStep>(plan) + count<CopyStep>(plan), 0);
  EXPECT_EQ(count<ReluStep>(plan), 0);  // those before the three transitions are their pools' to do
  EXPECT_EQ(count<ConvStep>(plan), 3 + 3 * 2);
}

TEST(Lowering, FusesBothBranchesOfABiRealNetBlock) {
  const Plan plan = plan_of("birealnet-18");
  EXPECT_EQ(count<BinaryConvStep>(plan), 16);
  EXPECT_EQ(count<AffineStep>(plan) + count<AddStep>(plan) + count<CopyStep>(plan) + count<ReluStep>(plan),
            0);
  EXPECT_EQ(count<ConvStep>(plan), 1 + 3);
  EXPECT_EQ(count<PoolStep>(plan), 1 + 3);
  // A scale per channel from the kernel's quantizer, then the norm.
  for (const Step* step : steps_of(plan)) {
    const auto* conv = std::get_if<BinaryConvStep>(&step->operation);
    if (conv == nullptr) continue;
    EXPECT_NE(conv->epilogue.scale, nullptr) << step->name;
    EXPECT_NE(conv->epilogue.norm_scale, nullptr) << step->name;
  }
}

TEST(Lowering, GivesADenseNetSectionItsFinalWidthOnce) {
  const Plan plan = plan_of("binarydensenet-28");
  EXPECT_EQ(count<CopyStep>(plan) + count<AddStep>(plan), 0);
  const Place first = find(plan, "s1.b1.conv").output;
  EXPECT_EQ(plan.buffers[static_cast<std::size_t>(first.buffer)].width, 64 + 6 * 64);
  for (int block = 1; block <= 6; ++block) {
    const Step& step = find(plan, "s1.b" + std::to_string(block) + ".conv");
    EXPECT_EQ(step.output, (Place{first.buffer, 64 * block, 64}));
    const Step& signs = find(plan, "signs of s1.b" + std::to_string(block) + ".bn");
    EXPECT_EQ(signs.input, (Place{first.buffer, 0, 64 * block}));   // the channels so far
    EXPECT_NE(std::get<PackStep>(signs.operation).scale, nullptr);  // the norm before the sign
  }
}

TEST(Lowering, ImprovesMeliusNetsChannelsWhereTheyLie) {
  const Plan plan = plan_of("meliusnet-22");
  EXPECT_EQ(count<CopyStep>(plan) + count<AddStep>(plan), 0);
  const Step& dense = find(plan, "s1.b1.dense.conv");
  const Step& improve = find(plan, "s1.b1.improve.conv + s1.b1");
  EXPECT_EQ(dense.output, improve.output);
  EXPECT_EQ(std::get<BinaryConvStep>(improve.operation).epilogue.residual, improve.output);
  EXPECT_EQ(plan.buffers[static_cast<std::size_t>(dense.output.buffer)].width, 64 + 4 * 64);
}

TEST(Lowering, CutsStagesAtTheExits) {
  for (const graph::Architecture& known : graph::architectures()) {
    const Plan plan = plan_of(std::string(known.name));
    ASSERT_EQ(plan.stages.size(),
              static_cast<std::size_t>(architecture(std::string(known.name)).exit_count()));
    int group = 0;
    int steps = 0;
    graph::Macs macs;
    for (std::size_t s = 0; s < plan.stages.size(); ++s) {
      const Stage& stage = plan.stages[s];
      EXPECT_EQ(stage.first_group, group);
      EXPECT_GT(stage.end_group, group);
      for (; group < stage.end_group; ++group) {
        for (const Step& step : plan.groups[static_cast<std::size_t>(group)].steps) {
          ++steps;
          macs += step.macs_per_row * step.rows;
        }
      }
      EXPECT_EQ(plan.steps_to(static_cast<int>(s) + 1), ++steps);
      EXPECT_EQ(macs.binary, stage.counts.cumulative.binary) << known.name << " exit " << s + 1;
      EXPECT_EQ(macs.floating, stage.counts.cumulative.floating) << known.name << " exit " << s + 1;
      EXPECT_EQ(macs.int8, stage.counts.cumulative.int8) << known.name << " exit " << s + 1;
    }
    EXPECT_EQ(group, static_cast<int>(plan.groups.size()));
  }
}

// x is read between the convolution and the sum: the sum may not be computed, over x, before that.
TEST(Lowering, DoesNotWriteOverWhatALayerInBetweenReads) {
  using namespace graph;
  Builder builder(Shape{8, 4, 1});
  const int x = builder.add("x", Conv2d{.kernel = {3, 3}, .out_channels = 4}, {0});
  const int conv = builder.add("conv", BinaryConv2d{.out_channels = 4}, {x});
  const int relu = builder.add("relu", Relu{}, {x});
  builder.add("exit1", Exit{.classes = 2}, {relu});
  const int sum = builder.add("sum", Add{}, {x, conv});
  builder.add("exit2", Exit{.classes = 2}, {sum});
  const auto model = model::random_model(built("late", builder), 1);
  const Plan plan = lower(*model, 8).value();
  EXPECT_EQ(count<AddStep>(plan), 1);
  EXPECT_EQ(plan.stages[0].end_group - plan.stages[0].first_group, 3);
}

// A convolution that reads x goes back to rows of x: adding to x in place has to wait for all of it.
TEST(Lowering, DoesNotWriteOverWhatAFloatConvolutionGoesBackTo) {
  using namespace graph;
  Builder builder(Shape{8, 4, 1});
  const int x = builder.add("x", Conv2d{.kernel = {3, 3}, .out_channels = 4}, {0});
  const int conv = builder.add("conv", Conv2d{.kernel = {3, 3}, .out_channels = 4}, {x});
  const int sum = builder.add("sum", Add{}, {x, conv});
  builder.add("exit1", Exit{.classes = 2}, {sum});
  const auto model = model::random_model(built("back", builder), 1);
  const Plan plan = lower(*model, 8).value();
  for (const Group& group : plan.groups) {
    for (const Step& reader : group.steps) {
      const auto is_conv = std::holds_alternative<ConvStep>(reader.operation);
      EXPECT_FALSE(is_conv && reader.input.overlaps(group.steps.back().output));
    }
  }
}

TEST(Lowering, RefusesAnInputThatTheNetworkCannotTake) {
  const auto model = model::random_model(architecture("quicknet"), 1);
  for (const int frames : {-1, 0, 1, graph::kMaxTime + 1}) {
    const auto refused = lower(*model, frames);
    ASSERT_FALSE(refused.ok()) << frames;
    EXPECT_EQ(refused.error().code, ErrorCode::kInvalidArgument);
    EXPECT_FALSE(refused.error().message.empty());
  }
}

}  // namespace
}  // namespace bittern::runtime
