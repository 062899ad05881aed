//===- DbCommand.h - attune db ----------------------------------*- C++ -*-===//
#ifndef ATTUNE_TOOLS_ATTUNE_DBCOMMAND_H
#define ATTUNE_TOOLS_ATTUNE_DBCOMMAND_H

#include "Common.h"

namespace attune::tool {

struct DbArguments {
  std::string action;                ///< one of dbActions()
  std::vector<std::string> operands; ///< numbers, a configuration, or files
  ConfigOptions config;              ///< of `best`; the database of all
  std::string directory;             ///< of `export`
  bool candidates = false;           ///< list them, or drop them
  bool json = false;
};

std::vector<std::string> dbActions();

llvm::Error runDb(const DbArguments &arguments);

} // namespace attune::tool

#endif
