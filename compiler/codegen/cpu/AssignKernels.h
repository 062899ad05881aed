//===- AssignKernels.h - see AssignKernels.td for what the pass does ------===//
#ifndef ATTUNE_CODEGEN_CPU_ASSIGNKERNELS_H
#define ATTUNE_CODEGEN_CPU_ASSIGNKERNELS_H

#include "codegen/cpu/kernels/Kernel.h"
#include "mlir/Pass/Pass.h"
#include <map>
#include <variant>

namespace attune {
#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "codegen/cpu/AssignKernels.h.inc"

namespace cpu {

using KernelSpec =
    std::variant<FillSpec, PackPanelSpec, PackRowsSpec, KeyRangeSpec, ClassifySpec, ScoresSpec,
                 LogitsSpec, SoftmaxSpec, AccumulateSpec, FinishSpec, EmitWeightsSpec, EmitSpec,
                 AccumulateRowsSpec, SaveSpec, MergeSpec, PackPairsSpec, PairProductsSpec,
                 RegionsSpec, PairSoftmaxSpec, EmitPairsSpec, EmitPackedSpec>;

/// The kernels that a module calls, by symbol.
using KernelSet = std::map<std::string, KernelSpec>;

/// The pass; adds what it calls to `kernels`, which must outlive it.
std::unique_ptr<mlir::Pass> createAssignKernels(KernelSet &kernels);

} // namespace cpu
} // namespace attune

#endif
