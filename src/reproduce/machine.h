// On what times were measured.
#pragma once

#include <istream>
#include <string>

namespace bittern::reproduce {

// The processor's name as Linux gives it, "AMD EPYC 9R14"; empty where it gives none.
std::string processor_name();
// From text like that of /proc/cpuinfo.
std::string processor_name(std::istream& text);

}  // namespace bittern::reproduce
