//===- main.cpp - The program attune --------------------------------------===//
#include "CommandLine.h"

#include "pipeline/Reproducer.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace attune::tool;

namespace {
constexpr int kRefused = 1, kWrongUsage = 2;

/// Runs a command and turns its errors into the exit status.
int report(function_ref<Error()> command) {
  std::string message;
  try {
    Error error = command();
    if (!error)
      return 0;
    message = toString(std::move(error));
  } catch (const attune::StatusError &error) {
    message = error.what();
  } catch (const std::bad_alloc &) {
    message = "out of memory";
  }
  errs() << "attune: error: " << message << "\n";
  return kRefused;
}
} // namespace

int main(int argc, char **argv) {
  attune::Reproducer::watchForCrashes();
  CommandLine line;
  try {
    line.app.parse(argc, argv);
  } catch (const CLI::Success &asked) { // for help or the version
    return line.app.exit(asked);
  } catch (const CLI::ParseError &error) {
    errs() << "attune: error: " << error.what() << "; see attune --help\n";
    return kWrongUsage;
  }
  return report([&] { return line.run(); });
}
