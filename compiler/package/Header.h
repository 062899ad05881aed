//===- Header.h - The C header of a generated object ------------*- C++ -*-===//
#ifndef ATTUNE_PACKAGE_HEADER_H
#define ATTUNE_PACKAGE_HEADER_H

#include "frontend/Config.h"
#include <string>

namespace attune {

/// NAME.h: plain C11 that includes attune/attune.h alone, with the argument structs and functions
/// of this configuration. `target` is the name of the CPU that the code is for.
std::string generateHeader(const Config &config, const std::string &target);

} // namespace attune

#endif
