//===- Header.h - The C header of a generated object ------------*- C++ -*-===//
#ifndef ATTUNE_PACKAGE_HEADER_H
#define ATTUNE_PACKAGE_HEADER_H

#include "frontend/Config.h"
#include <string>

namespace attune {

/// NAME.h: plain C11 that includes attune/attune.h alone, with the argument structs and functions
/// of this configuration. `targets` names the CPUs that the code is for. Where the parameters are
/// part of the object, there is nothing to pack.
std::string generateHeader(const Config &config, const std::string &targets, bool isBaked = false);

} // namespace attune

#endif
