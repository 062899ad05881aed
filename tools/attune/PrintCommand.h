//===- PrintCommand.h - attune print ----------------------------*- C++ -*-===//
#ifndef ATTUNE_TOOLS_ATTUNE_PRINTCOMMAND_H
#define ATTUNE_TOOLS_ATTUNE_PRINTCOMMAND_H

#include "CommandDescription.h"
#include "llvm/Support/Error.h"

namespace attune::tool {

/// What `attune print` can print.
std::vector<std::string> printableNames();

/// Prints one of these on stdout; `app` is the command line.
llvm::Error runPrint(const std::string &name, const CLI::App &app);

// What it prints, each a whole file.
std::string manPage(const DescribedProgram &program);
std::string bashCompletion(const DescribedProgram &program);
std::string zshCompletion(const DescribedProgram &program);
std::string fishCompletion(const DescribedProgram &program);

} // namespace attune::tool

#endif
