// Numbers of a report in words, as its tables and its page print them.
#pragma once

#include <string>

#include "evaluation/report.h"

namespace bittern::evaluation {

std::string percent(double share);                   // "93.4 %"
std::string percent(const Proportion& proportion);   // the same; "-" without clips
std::string interval(const Proportion& proportion);  // "92.1 to 94.5 %"; "-" without clips

// Exit by exit but for the last, at which all leave: "0.25 0.5".
std::string thresholds(const PointRow& point);

}  // namespace bittern::evaluation
