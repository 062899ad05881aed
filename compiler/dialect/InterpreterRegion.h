//===- InterpreterRegion.h - A region as a list of instructions -*- C++ -*-===//
#ifndef ATTUNE_DIALECT_INTERPRETERREGION_H
#define ATTUNE_DIALECT_INTERPRETERREGION_H

#include "dialect/InterpreterScalar.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"

namespace attune::mha::interpreter {

/// What mha.size asks for: lengths of the attention that a region belongs to.
struct Lengths {
  int64_t target, source;
};

/// A score or keep region, translated once into instructions on numbered slots. A slot holds a
/// block argument, a constant, a value from outside, or a result.
class RegionPlan {
public:
  static llvm::Expected<RegionPlan> compile(mlir::Region &region,
                                            const InterpreterOptions &options);

  /// Fetches what the region uses from outside, before the runs that follow.
  void bind(llvm::function_ref<Scalar(mlir::Value)> scalarOf,
            llvm::function_ref<Array(mlir::Value)> arrayOf);
  /// Fails when the region asks for lengths and there are none.
  llvm::Error bindLengths(std::optional<Lengths> lengths);

  /// The slots of the block's arguments, in order, to be set before every run.
  llvm::MutableArrayRef<Scalar> arguments() {
    return llvm::MutableArrayRef(slots).take_front(argumentCount);
  }

  /// Runs the region; false on an access out of range or a division by zero (see error()).
  bool run(Scalar &result) {
    for (const Step &step : steps)
      if (!(step.array < 0 ? runScalar(step) : runElement(step))) {
        failed = &step;
        return false;
      }
    result = slots[resultSlot];
    return true;
  }

  /// What the run that returned false met.
  llvm::Error error() const;

private:
  struct Step {
    mlir::Operation *op;
    ScalarInstruction instruction;
    llvm::SmallVector<unsigned, 4> operands; ///< slots
    unsigned result;                         ///< slot
    int array = -1;                          ///< of mha.element: which of `arrays`
  };
  /// A tensor or memref that mha.element reads.
  struct Source {
    mlir::Value value;
    ElementKind kind;
    Array array;
  };
  /// A value from outside and its slot.
  struct Outside {
    mlir::Value value;
    unsigned slot;
  };

  /// An mha.size and its slot.
  struct Size {
    mlir::Operation *op;
    unsigned slot;
  };

  llvm::Error add(mlir::Operation &op, const InterpreterOptions &options);
  unsigned slotOf(mlir::Value value);
  bool runElement(const Step &step);

  bool runScalar(const Step &step) {
    Scalar operands[maxScalarOperands];
    for (size_t k = 0; k < step.operands.size(); ++k)
      operands[k] = slots[step.operands[k]];
    return interpreter::run(step.instruction, operands, slots[step.result]);
  }

  std::vector<Step> steps;
  std::vector<Scalar> slots;
  std::vector<Source> arrays;
  std::vector<Outside> outside;
  std::vector<Size> sizes;
  llvm::DenseMap<mlir::Value, unsigned> slotNumbers;
  unsigned argumentCount = 0, resultSlot = 0;
  const Step *failed = nullptr;
};

} // namespace attune::mha::interpreter

#endif
