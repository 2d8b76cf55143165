// Apache ECharts, its usual charts, as JavaScript. What the file says of its licence stands at its top.
#pragma once

#include <string_view>

namespace bittern::report {

std::string_view charting_library();

}  // namespace bittern::report
