//===- MachineCode.h - LLVM module to assembly and object code --*- C++ -*-===//
#ifndef ATTUNE_CODEGEN_CPU_MACHINECODE_H
#define ATTUNE_CODEGEN_CPU_MACHINECODE_H

#include "codegen/cpu/TargetInfo.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/IR/Module.h"

namespace attune::cpu {

/// Registers LLVM's back ends, once for the process; any thread may call it at any time.
void registerBackEnds();

/// Makes everything but `exported` internal, inlines the bridges and optimises. A call of a
/// function outside the attune runtime is an error: kernels must not need libm or an allocator.
llvm::Error optimize(llvm::Module &module, const TargetInfo &target,
                     llvm::ArrayRef<std::string> exported);

enum class MachineCodeKind { Assembly, Object };

/// Position-independent code for the target. The module is consumed by code generation.
llvm::Expected<llvm::SmallVector<char, 0>>
emitMachineCode(llvm::Module &module, const TargetInfo &target, MachineCodeKind kind);

} // namespace attune::cpu

#endif
