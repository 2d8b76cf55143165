#include "cli/report_file.h"

#ifdef BITTERN_REPORTS
#include "core/atomic_file.h"
#include "report/evaluation_page.h"
#endif

namespace bittern::cli {

#ifdef BITTERN_REPORTS

Status can_write_page() { return {}; }

Status write_page(const evaluation::Report& report, const std::string& path) {
  BITTERN_ASSIGN_OR_RETURN(const std::string html, report::evaluation_page(report).html());
  return write_file(path, html);
}

#else

Status can_write_page() {
  return unsupported("--report: this build makes no reports; build with -DBITTERN_REPORTS=ON");
}

Status write_page(const evaluation::Report&, const std::string&) { return can_write_page(); }

#endif

}  // namespace bittern::cli
