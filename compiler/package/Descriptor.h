//===- Descriptor.h - What a generated object says of itself ----*- C++ -*-===//
#ifndef ATTUNE_PACKAGE_DESCRIPTOR_H
#define ATTUNE_PACKAGE_DESCRIPTOR_H

#include "frontend/Config.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/IR/Module.h"
#include <string>
#include <vector>

namespace attune {

/// What the descriptor holds besides the configuration's interface.
struct DescriptorFacts {
  uint64_t hash = 0;
  uint32_t cpuFeatures = 0;
  int64_t packedBytes = 0; ///< header included; 0 without parameters
};

/// Adds NAME_module (struct attune_module), NAME_forward, NAME_workspace_size and, with parameters,
/// NAME_pack and NAME_packed_size to a module that defines forward_entry, pack_entry and
/// workspace_size. Returns the names that the object exports.
std::vector<std::string> addDescriptor(llvm::Module &module, const Config &config,
                                       const DescriptorFacts &facts);

} // namespace attune

#endif
