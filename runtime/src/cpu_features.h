//===- cpu_features.h - Names of CPU features -------------------------------------------------===//

#ifndef ATTUNE_RUNTIME_CPU_FEATURES_H
#define ATTUNE_RUNTIME_CPU_FEATURES_H

#include "error.h"

namespace attune::runtime {

/// Appends the names of the ATTUNE_CPU_* bits in \p Features, separated by commas.
void appendCpuFeatureNames(TextBuilder &Text, uint32_t Features);

} // namespace attune::runtime

#endif
