#include "report/page.h"

#include <gtest/gtest.h>

namespace bittern::report {
namespace {

std::string html_of(const Page& page) {
  const auto html = page.html();
  EXPECT_TRUE(html.ok()) << (html.ok() ? "" : html.error().message);
  return html.ok() ? *html : std::string();
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(Page, TextIsNeverMarkup) {
  Page page("<b>&\"", "lead");
  page.heading("<h>");
  page.paragraph("a < b");
  page.table({{"<th>"}, {{Cell("<td>")}}});
  const std::string html = html_of(page);
  EXPECT_TRUE(has(html, "<title>&lt;b&gt;&amp;&quot;</title>"));
  EXPECT_TRUE(has(html, "<h2>&lt;h&gt;</h2>"));
  EXPECT_TRUE(has(html, "<p>a &lt; b</p>"));
  EXPECT_TRUE(has(html, "<th>&lt;th&gt;</th>"));
  EXPECT_TRUE(has(html, "<td>&lt;td&gt;</td>"));
  EXPECT_FALSE(has(html, "<script")) << "without charts no script";
}

TEST(Page, BytesThatAreNotUtf8AreMended) {
  Page page(
      "a\xFF"
      "b",
      "");
  EXPECT_TRUE(has(html_of(page),
                  "<title>a\xEF\xBF\xBD"
                  "b</title>"));
}

TEST(Page, ALabelCannotEndTheScriptThatHoldsIt) {
  Page page("title", "lead");
  page.chart(stacked_bars("bars", "Bars", {"x", false, true, {}}, {"y", false, true, {}},
                          {"</script><script>alert(1)</script>"}, {{"one", {1}}}),
             "caption");
  const std::string html = html_of(page);
  EXPECT_FALSE(has(html, "<script>alert"));
  EXPECT_TRUE(has(html, "\\u003c/script>"));
}

TEST(Page, NeedsNothingBesideIt) {
  Page page("title", "lead");
  page.chart(line_chart("curve", "Curve", {"x", false, true, {}}, {"y", false, true, {}},
                        {{"line", {{0, 1}, {1, 2}}, {}, false}}),
             "caption");
  const std::string html = html_of(page);
  EXPECT_TRUE(has(html, "<div class=\"still\"><svg ")) << "a picture where scripts do not run";
  EXPECT_TRUE(has(html, "renderToSVGString")) << "the library";
  // The library names its home page, but our part of the page fetches nothing.
  const std::string ours = html.substr(0, html.find("</figure>"));
  for (const char* outside : {"src=", "href=", "url(h", "url(/", "@import"})
    EXPECT_FALSE(has(ours, outside)) << outside;
}

TEST(Page, ShadesCells) {
  Page page("title", "");
  page.table({{"a"}, {{Cell("1", 0.5)}, {Cell("2")}}});
  const std::string html = html_of(page);
  EXPECT_TRUE(has(html, "<td style=\"background: rgba(var(--shade), 0.350)\">1</td>"));
  EXPECT_TRUE(has(html, "<td>2</td>"));
}

}  // namespace
}  // namespace bittern::report
