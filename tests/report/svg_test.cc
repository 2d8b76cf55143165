#include "report/svg.h"

#include <gtest/gtest.h>

#include <limits>

namespace bittern::report {
namespace {

Chart some_chart(double last) {
  return line_chart("curve", "Accuracy <of> \xC3\xA4", {"threshold", false, true, {}},
                    {"accuracy", true, false, {}}, {{"rule", {{0, 80}, {0.5, 90}, {1, last}}, {}, false}});
}

std::string drawn(SvgRenderer& renderer, const Chart& chart, int width) {
  const auto svg = renderer.render(chart, width);
  EXPECT_TRUE(svg.ok()) << (svg.ok() ? "" : svg.error().message);
  return svg.ok() ? *svg : std::string();
}

TEST(SvgRenderer, DrawsTheChartInItsSize) {
  auto renderer = SvgRenderer::create();
  ASSERT_TRUE(renderer.ok()) << renderer.error().message;
  const std::string svg = drawn(*renderer, some_chart(85), 640);
  EXPECT_EQ(svg.rfind("<svg ", 0), 0U);
  EXPECT_NE(svg.find("width=\"640\" height=\"380\""), std::string::npos);
  EXPECT_NE(svg.find("Accuracy &lt;of&gt; \xC3\xA4"), std::string::npos) << "the title, as text";
  EXPECT_NE(svg.find(">threshold<"), std::string::npos);
  EXPECT_NE(svg, drawn(*renderer, some_chart(70), 640)) << "another curve";
}

TEST(SvgRenderer, TheSameChartGivesTheSameText) {
  auto first = SvgRenderer::create();
  auto second = SvgRenderer::create();
  ASSERT_TRUE(first.ok() && second.ok());
  const std::string svg = drawn(*first, some_chart(85), 760);
  EXPECT_EQ(drawn(*first, some_chart(85), 760), svg);
  EXPECT_EQ(drawn(*second, some_chart(85), 760), svg);
}

TEST(SvgRenderer, SaysWhichChartCannotBeDrawn) {
  auto renderer = SvgRenderer::create();
  ASSERT_TRUE(renderer.ok());
  Chart broken = some_chart(85);
  broken.option["series"] = {{{"type", "line"}, {"xAxisIndex", 7}, {"data", {1}}}};
  const auto svg = renderer->render(broken);
  ASSERT_FALSE(svg.ok());
  EXPECT_EQ(svg.error().message.rfind("chart curve: ", 0), 0U) << svg.error().message;
  drawn(*renderer, some_chart(85), 760);  // goes on
}

}  // namespace
}  // namespace bittern::report
