//===- ConfigSchema.h - The JSON Schema of the configuration ----*- C++ -*-===//
#ifndef ATTUNE_COMPILER_FRONTEND_CONFIGSCHEMA_H
#define ATTUNE_COMPILER_FRONTEND_CONFIGSCHEMA_H

#include <string>

namespace attune {

/// The table of keys as a JSON Schema (draft 7), for editors. It accepts every configuration that
/// parseConfig accepts. Contradictions between keys, the grammar of the score expression and what
/// JSON alone cannot tell apart (8 and 8.0, duplicate keys) are left to parseConfig.
std::string configSchema();

} // namespace attune

#endif
