// An evaluation as an HTML file.
#pragma once

#include <string>

#include "core/status.h"
#include "evaluation/report.h"

namespace bittern::cli {

// Whether this build can make one; kUnsupported says what to build.
Status can_write_page();

// The whole page appears at `path`, or nothing does.
Status write_page(const evaluation::Report& report, const std::string& path);

}  // namespace bittern::cli
