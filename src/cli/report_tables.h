// An evaluation's report as tables for a terminal.
#pragma once

#include <string>

#include "evaluation/report.h"
#include "exits/rule.h"

namespace bittern::cli {

struct ReportTables {
  bool exits = true;
  bool rules = true;
  bool classes = true;
  bool confusion = true;
  std::string rule;  // only this rule's rows; empty: all
  // The policy under which the table of classes shows where clips leave: the operating point of this name,
  // or else a rule of the report's with one threshold. By a fixed exit it shows nothing of that.
  std::string operating_point;
  exits::Policy policy;
};

// The clips' rows, if the report has some, always come first.
std::string report_tables(const evaluation::Report& report, const ReportTables& wanted);

}  // namespace bittern::cli
