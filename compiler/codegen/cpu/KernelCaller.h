//===- KernelCaller.h - Builds calls of kernels -----------------*- C++ -*-===//
#ifndef ATTUNE_CODEGEN_CPU_KERNELCALLER_H
#define ATTUNE_CODEGEN_CPU_KERNELCALLER_H

#include "codegen/cpu/AssignKernels.h"
#include "dialect/Mha.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Builders.h"

namespace attune::cpu {

/// Builds views, scratch buffers and kernel calls at one place, which setPlace moves. Erasure is
/// deferred, so that values of replaced operations stay valid as keys.
class KernelCaller {
public:
  KernelCaller(mlir::ModuleOp module, const CpuSchedule &schedule, const KernelTarget &target,
               KernelSet &kernels)
      : module(module), knobs(schedule), target(target), kernels(kernels),
        opBuilder(module.getContext()), loc(module.getLoc()) {}

  mlir::OpBuilder &builder() { return opBuilder; }
  const CpuSchedule &schedule() const { return knobs; }
  int64_t lanes() const { return target.vectorLanes; }

  void setPlace(mlir::Operation *op);
  /// Scratch buffers of what follows are allocated at the head of this function's or loop's body.
  void enterFunction(mlir::func::FuncOp function);
  void enterParallelLoop(mlir::scf::ForallOp loop);
  void leaveParallelLoop();
  void erase(mlir::Operation *op) { dead.push_back(op); }
  void eraseDead();

  mlir::Value index(int64_t value);
  mlir::Value ceilDiv(mlir::Value value, int64_t divisor);
  /// A buffer of the current parallel loop, or of the function outside loops (a stage of one tile
  /// is no loop); the same for the same name and shape.
  mlir::Value scratch(llvm::StringRef name, llvm::ArrayRef<int64_t> shape, mlir::Type element = {});
  /// memref of this rank with run-time extents and strides, but for the innermost stride 1: the
  /// form in which kernels take buffers.
  mlir::MemRefType viewType(int64_t rank, mlir::Type element);
  /// The last sizes.size() dimensions of a memref, from `indices`, as a general view.
  mlir::Value view(mlir::Value memref, mlir::ValueRange indices, llvm::ArrayRef<mlir::Value> sizes);
  mlir::Value generalize(mlir::Value memref);
  /// True when a view's rows follow each other without a gap: its source is dense with this width.
  bool isDense(mlir::Value view, int64_t columns);
  ElementType elementType(mlir::Value memref);

  /// Calls the kernel of a specification; index operands become i32.
  template <typename Spec> void call(const Spec &spec, llvm::ArrayRef<mlir::Value> operands) {
    Kernel kernel = describeKernel(spec, target);
    kernels.emplace(kernel.symbol, spec);
    callSymbol(kernel, operands);
  }
  /// Fills a memref of static shape whose elements lie without a gap.
  void fill(mlir::Value memref, double value);

private:
  void callSymbol(const Kernel &kernel, llvm::ArrayRef<mlir::Value> operands);

  mlir::ModuleOp module;
  const CpuSchedule &knobs;
  const KernelTarget &target;
  KernelSet &kernels;
  mlir::OpBuilder opBuilder;
  mlir::Location loc;
  /// Bodies that are open, outermost first, with their buffers by name and shape.
  struct Scope {
    mlir::Block *block;
    std::map<std::pair<std::string, std::vector<int64_t>>, mlir::Value> buffers;
  };
  llvm::SmallVector<Scope> scopes;
  llvm::SmallVector<mlir::Operation *> dead;
};

} // namespace attune::cpu

#endif
