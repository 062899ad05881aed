//===- Metadata.h - NAME.json, the description of an object -----*- C++ -*-===//
#ifndef ATTUNE_PACKAGE_METADATA_H
#define ATTUNE_PACKAGE_METADATA_H

#include "frontend/Config.h"
#include "package/CompileCache.h"
#include "package/CompiledVariant.h"
#include "llvm/ADT/ArrayRef.h"
#include <string>

namespace attune {

/// Floating-point operations of one forward pass: 4 N H L S D for the core, half of it when causal
/// (the square's lower triangle), 4 N H L D for each appended key, and 2 rows E_out E_in for each
/// projection.
double forwardFlops(const Config &config, int64_t batch, int64_t target, int64_t source);

/// The content of NAME.json: configuration, hash, target with required CPU features, schedule with
/// provenance, the same of every fallback, arguments and parameters with symbolic shapes, sizes,
/// kernels. The first variant is the one that is tried first.
std::string generateMetadata(const Config &config, llvm::ArrayRef<CompiledVariant> variants,
                             const ObjectCode &code, bool isBaked);

} // namespace attune

#endif
