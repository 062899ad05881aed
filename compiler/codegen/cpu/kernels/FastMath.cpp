//===- FastMath.cpp - The floating-point contract of kernels --------------===//

#include "codegen/cpu/kernels/FastMath.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Operator.h"

namespace attune::cpu {

static void dropHalideModuleFlags(llvm::Module &module) {
  llvm::NamedMDNode *flags = module.getModuleFlagsMetadata();
  if (!flags)
    return;
  llvm::SmallVector<llvm::MDNode *> kept;
  for (llvm::MDNode *flag : flags->operands()) {
    auto *name = llvm::dyn_cast<llvm::MDString>(flag->getOperand(1));
    if (!name || !name->getString().starts_with("halide_"))
      kept.push_back(flag);
  }
  flags->clearOperands();
  for (llvm::MDNode *flag : kept)
    flags->addOperand(flag);
}

void cutFastMathFlags(llvm::Module &module) {
  llvm::FastMathFlags contract;
  contract.setAllowContract();
  for (llvm::Function &function : module) {
    for (const char *attribute : {"unsafe-fp-math", "no-nans-fp-math", "no-infs-fp-math",
                                  "no-signed-zeros-fp-math", "approx-func-fp-math"})
      function.removeFnAttr(attribute);
    for (llvm::Instruction &instruction : llvm::instructions(function))
      if (llvm::isa<llvm::FPMathOperator>(instruction)) {
        instruction.setFastMathFlags(contract);
        instruction.setMetadata(llvm::LLVMContext::MD_fpmath, nullptr);
      }
  }
  dropHalideModuleFlags(module);
}

} // namespace attune::cpu
