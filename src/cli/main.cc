// bittern: the list of commands.
#include <array>

#include "cli/program.h"

namespace {

using namespace bittern::cli;

// In the order of --help.
constexpr std::array kCommands{
    &kClassifyCommand, &kEvaluateCommand, &kCalibrateCommand, &kInspectCommand,   &kBenchCommand,
    &kTrainCommand,    &kExportCommand,   &kImportCommand,    &kReproduceCommand,
};

}  // namespace

int main(int argc, char** argv) { return run_program(kCommands, argc, argv); }
