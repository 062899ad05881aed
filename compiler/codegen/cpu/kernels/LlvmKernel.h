//===- LlvmKernel.h - Kernels that are written as LLVM IR -------*- C++ -*-===//
//
// For what Halide cannot express with the registers or instructions it takes: blocks of AMX tiles,
// and pairs of bfloat16. These kernels have the interface of the others (Kernel.h).
//
//===----------------------------------------------------------------------===//
#ifndef ATTUNE_CODEGEN_CPU_KERNELS_LLVMKERNEL_H
#define ATTUNE_CODEGEN_CPU_KERNELS_LLVMKERNEL_H

#include "codegen/cpu/kernels/Kernel.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"

namespace attune::cpu {

/// The type of a kernel's function, or of one with these arguments.
llvm::FunctionType *kernelType(llvm::ArrayRef<KernelArgument> arguments,
                               llvm::LLVMContext &context);

/// A buffer argument: dimensions outermost first, in elements, as i64.
struct KernelBuffer {
  llvm::Value *data = nullptr;
  llvm::SmallVector<llvm::Value *> extents, strides;
  int64_t elementBytes = 0;
};

/// Builds the function of one kernel. Indices are i64, and so are i32 arguments once read.
class LlvmKernelBuilder {
public:
  explicit LlvmKernelBuilder(const Kernel &kernel);

  llvm::IRBuilder<> &ir() { return builder; }
  const KernelBuffer &buffer(unsigned argument) const { return buffers[argument]; }
  llvm::Value *integer(unsigned argument) const { return integers[argument]; }

  llvm::Value *index(int64_t value) { return builder.getInt64(value); }
  llvm::Value *roundedUp(llvm::Value *value, int64_t unit);
  llvm::Value *roundedDown(llvm::Value *value, int64_t unit);
  llvm::Value *least(llvm::Value *a, llvm::Value *b);
  llvm::Value *most(llvm::Value *a, llvm::Value *b);
  /// Which of `lanes` lanes are below a number.
  llvm::Value *lanesBelow(llvm::Value *limit, int64_t lanes);
  /// The address of an element.
  llvm::Value *address(const KernelBuffer &buffer, llvm::ArrayRef<llvm::Value *> indices);

  /// for (i = from; i + step <= to; i += step): carries values, and gives them as they are in the
  /// end.
  using Carried = llvm::SmallVector<llvm::Value *, 32>;
  Carried loop(llvm::Value *from, llvm::Value *to, int64_t step, Carried carried,
               llvm::function_ref<Carried(llvm::Value *i, llvm::ArrayRef<llvm::Value *>)> body);
  /// The same without values.
  void loop(llvm::Value *from, llvm::Value *to, int64_t step,
            llvm::function_ref<void(llvm::Value *i)> body);
  /// Runs `body` where `condition` holds.
  void when(llvm::Value *condition, llvm::function_ref<void()> body);

  /// Ends the function and gives its bitcode, or what the verifier says.
  llvm::Expected<Kernel> finish();

private:
  void readBuffer(llvm::Value *pointer, const KernelArgument &argument, KernelBuffer &buffer);

  Kernel kernel;
  llvm::LLVMContext context;
  llvm::Module module;
  llvm::IRBuilder<> builder;
  llvm::Function *function;
  std::vector<KernelBuffer> buffers;   ///< by argument
  std::vector<llvm::Value *> integers; ///< by argument
};

} // namespace attune::cpu

#endif
