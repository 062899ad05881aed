//===- Descriptor.h - What a generated object says of itself ----*- C++ -*-===//
#ifndef ATTUNE_PACKAGE_DESCRIPTOR_H
#define ATTUNE_PACKAGE_DESCRIPTOR_H

#include "frontend/Config.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Error.h"
#include <memory>
#include <string>
#include <vector>

namespace attune {

/// What the descriptor holds besides the configuration's interface.
struct DescriptorFacts {
  uint64_t hash = 0;
  uint32_t cpuFeatures = 0;
  int64_t packedBytes = 0; ///< header included; 0 without parameters
  bool baked = false;      ///< the packed parameters are the object's own: bakeParameters
  int position = 0;        ///< among the targets of an object: 0 is tried first
  bool hasFallback = false;
};

/// Adds struct attune_module to a module that defines forward_entry, pack_entry and workspace_size:
/// at position 0 as NAME_module with NAME_forward, NAME_workspace_size and, with parameters to
/// pack, NAME_pack and NAME_packed_size. Returns the names that others refer to.
std::vector<std::string> addDescriptor(llvm::Module &module, const Config &config,
                                       const DescriptorFacts &facts);

/// Links the modules of all targets, position by position, into one that exports what the first one
/// exports.
llvm::Expected<std::unique_ptr<llvm::Module>>
linkVariants(std::vector<std::unique_ptr<llvm::Module>> modules);

/// Defines the packed parameters that descriptors with `baked` refer to: ATTUNE_ALIGNMENT bytes for
/// a header, which nobody reads, then `block`.
void bakeParameters(llvm::Module &module, const Config &config, llvm::ArrayRef<float> block);

} // namespace attune

#endif
