#include "report/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <utility>

#include "json/text.h"
#include "report/charting_library.h"
#include "report/svg.h"

namespace bittern::report {
namespace {

constexpr std::string_view kStyle = R"css(
:root { color-scheme: light dark; --text: #1c1c1e; --soft: #5f6368; --line: #dadce0; --page: #ffffff; --card: #fafafa;
  --shade: 0, 114, 178; }
@media (prefers-color-scheme: dark) {
  :root { --text: #e8eaed; --soft: #9aa0a6; --line: #3c4043; --page: #17181a; --card: #202124; --shade: 86, 180, 233; }
  .still { background: #ffffff; } }
body { margin: 0; background: var(--page); color: var(--text); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 940px; margin: 0 auto; padding: 24px 20px 80px; }
h1 { font-size: 28px; line-height: 1.2; margin: 16px 0 4px; }
h2 { font-size: 22px; margin: 48px 0 8px; padding-top: 12px; border-top: 1px solid var(--line); }
h3 { font-size: 17px; margin: 32px 0 8px; }
ul { padding-left: 22px; }
li { margin: 4px 0; }
.lead, .note, .soft, small, figcaption { color: var(--soft); }
.note { font-size: 14px; }
td small { display: block; white-space: pre-line; font-size: 12px; line-height: 1.2; }
figure { margin: 24px 0; padding: 12px; background: var(--card); border: 1px solid var(--line); border-radius: 8px; }
figcaption { font-size: 14px; padding: 4px 8px; }
.still { border-radius: 4px; }
.still svg { display: block; width: 100%; height: auto; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; }
th, td { padding: 4px 8px; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
audio { height: 28px; width: 220px; vertical-align: middle; }
th { color: var(--soft); font-weight: 600; vertical-align: bottom; }
)css";

constexpr std::string_view kScript = R"js(
(function () {
  var dark = window.matchMedia('(prefers-color-scheme: dark)');
  document.querySelectorAll('figure[data-chart]').forEach(function (figure) {
    var option = JSON.parse(figure.querySelector('script').textContent);
    option.backgroundColor = 'transparent';
    var place = figure.querySelector('.still');
    place.classList.remove('still');
    place.style.height = figure.dataset.height + 'px';
    var chart = null;
    function draw() {
      if (chart) chart.dispose();
      place.textContent = '';
      chart = echarts.init(place, dark.matches ? 'dark' : null, {renderer: 'svg'});
      chart.setOption(option);
    }
    draw();
    dark.addEventListener('change', draw);
    window.addEventListener('resize', function () { chart.resize(); });
    window.addEventListener('beforeprint', function () { chart.resize(); });
  });
})();
)js";

// Valid UTF-8, whatever it was.
std::string mended(std::string_view text) { return json::Json::parse(json::text(text)).get<std::string>(); }

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : mended(text)) {
    switch (c) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      default:
        result += c;
    }
  }
  return result;
}

// JSON that cannot end the script element that it stands in.
std::string script_json(const nlohmann::ordered_json& json) {
  std::string result;
  for (const char c : json::text(json)) {
    if (c == '<') {
      result += "\\u003c";
    } else {
      result += c;
    }
  }
  return result;
}

std::string base64(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t three = 0;
    for (std::size_t k = 0; k < 3; ++k)
      three = three << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    for (std::size_t k = 0; k < 4; ++k)
      text += i + k <= bytes.size() ? kDigits[three >> (18 - 6 * k) & 63U] : '=';
  }
  return text;
}

std::string player(const Cell& cell) {
  return fmt::format("<audio controls preload=\"none\" title=\"{}\" src=\"data:{};base64,{}\"></audio>",
                     escaped(cell.text), escaped(cell.audio_type), base64(cell.audio));
}

}  // namespace

Page::Page(std::string title, std::string_view lead) : title_(std::move(title)), pieces_(1) {
  open() += fmt::format("<h1>{}</h1>\n<p class=\"lead\">{}</p>\n", escaped(title_), escaped(lead));
}

void Page::heading(std::string_view text) { open() += fmt::format("<h2>{}</h2>\n", escaped(text)); }

void Page::subheading(std::string_view text) { open() += fmt::format("<h3>{}</h3>\n", escaped(text)); }

void Page::list(const std::vector<std::string>& items) {
  open() += "<ul>\n";
  for (const std::string& item : items) open() += fmt::format("<li>{}</li>\n", escaped(item));
  open() += "</ul>\n";
}

void Page::note(std::string_view text) { open() += fmt::format("<p class=\"note\">{}</p>\n", escaped(text)); }

void Page::paragraph(std::string_view text) { open() += fmt::format("<p>{}</p>\n", escaped(text)); }

void Page::table(const Table& table) {
  std::string& out = open();
  out += "<div class=\"scroll\"><table>\n<thead><tr>";
  for (const std::string& name : table.header) out += fmt::format("<th>{}</th>", escaped(name));
  out += "</tr></thead>\n<tbody>\n";
  for (const auto& row : table.rows) {
    out += "<tr>";
    for (const Cell& cell : row) {
      // Never so dark that the text is lost.
      const std::string style = cell.shade ? fmt::format(" style=\"background: rgba(var(--shade), {:.3f})\"",
                                                         0.7 * std::clamp(*cell.shade, 0.0, 1.0))
                                           : "";
      out += fmt::format("<td{}{}>{}{}</td>", cell.soft ? " class=\"soft\"" : "", style,
                         cell.audio.empty() ? escaped(cell.text) : player(cell),
                         cell.small.empty() ? "" : fmt::format("<small>{}</small>", escaped(cell.small)));
    }
    out += "</tr>\n";
  }
  out += "</tbody></table></div>\n";
}

void Page::chart(Chart chart, std::string_view caption) {
  charts_.push_back(std::move(chart));
  pieces_.emplace_back(fmt::format("<figcaption>{}</figcaption></figure>\n", escaped(caption)));
}

Expected<std::string> Page::html() const {
  std::string html = fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{}</title>\n"
      "<style>{}</style>\n</head>\n<body>\n<main>\n{}",
      escaped(title_), kStyle, pieces_.front());
  if (!charts_.empty()) {
    BITTERN_ASSIGN_OR_RETURN(SvgRenderer renderer, SvgRenderer::create());
    for (std::size_t i = 0; i < charts_.size(); ++i) {
      const Chart& chart = charts_[i];
      BITTERN_ASSIGN_OR_RETURN(const std::string svg, renderer.render(chart));
      html += fmt::format(
          "<figure id=\"{}\" data-chart=\"\" data-height=\"{}\">\n"
          "<script type=\"application/json\">{}</script>\n<div class=\"still\">{}</div>\n{}",
          escaped(chart.name), chart.height, script_json(chart.option), svg, pieces_[i + 1]);
    }
  }
  html += "</main>\n";
  if (!charts_.empty()) {
    html += "<script>";
    html += charting_library();
    html += fmt::format("</script>\n<script>{}</script>\n", kScript);
  }
  html += "</body>\n</html>\n";
  return html;
}

}  // namespace bittern::report
