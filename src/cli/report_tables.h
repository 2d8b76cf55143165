// An evaluation's report as tables for a terminal.
#pragma once

#include <string>

#include "evaluation/report.h"

namespace bittern::cli {

struct ReportTables {
  bool exits = true;
  bool rules = true;
  bool classes = true;
  bool confusion = true;
  std::string rule;  // only this rule's rows; empty: all
};

// The clips' rows, if the report has some, always come first.
std::string report_tables(const evaluation::Report& report, const ReportTables& wanted);

}  // namespace bittern::cli
