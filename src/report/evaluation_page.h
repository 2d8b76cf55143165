// What an evaluation found, to be looked at.
#pragma once

#include "evaluation/report.h"
#include "report/page.h"

namespace bittern::report {

Page evaluation_page(const evaluation::Report& report);

}  // namespace bittern::report
