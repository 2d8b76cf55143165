#include "cli/report_file.h"

#ifdef BITTERN_REPORTS
#include "core/atomic_file.h"
#include "json/text.h"
#include "report/evaluation_page.h"
#include "report/reproduction_page.h"
#include "report/svg.h"
#endif

namespace bittern::cli {

#ifdef BITTERN_REPORTS

Status can_write_page() { return {}; }

Status write_page(const evaluation::Report& report, const std::string& path) {
  BITTERN_ASSIGN_OR_RETURN(const std::string html, report::evaluation_page(report).html());
  return write_file(path, html);
}

Status write_reproduction(
    const nlohmann::ordered_json& results,
    const std::function<Sound(const std::string& task, const std::string& file)>& recording,
    const std::filesystem::path& folder) {
  BITTERN_RETURN_IF_ERROR(write_file(folder / "results.json", json::text(results, 1) + "\n"));
  const report::Page page = report::reproduction_page(results, recording);
  std::error_code error;
  std::filesystem::create_directories(folder / "figures", error);
  if (error) return io_error((folder / "figures").string() + ": " + error.message());
  BITTERN_ASSIGN_OR_RETURN(report::SvgRenderer renderer, report::SvgRenderer::create());
  for (const report::Chart& chart : page.charts()) {
    const std::filesystem::path figure = folder / "figures" / chart.name;
    BITTERN_ASSIGN_OR_RETURN(const std::string svg, renderer.render(chart));
    BITTERN_RETURN_IF_ERROR(write_file(figure.string() + ".svg", svg));
    BITTERN_RETURN_IF_ERROR(write_file(figure.string() + ".json", json::text(chart.option, 1) + "\n"));
  }
  BITTERN_ASSIGN_OR_RETURN(const std::string html, page.html());
  return write_file(folder / "report.html", html);
}

#else

Status can_write_page() {
  return unsupported("this build makes no reports; build with -DBITTERN_REPORTS=ON");
}

Status write_page(const evaluation::Report&, const std::string&) { return can_write_page(); }
Status write_reproduction(const nlohmann::ordered_json&,
                          const std::function<Sound(const std::string&, const std::string&)>&,
                          const std::filesystem::path&) {
  return can_write_page();
}

#endif

}  // namespace bittern::cli
