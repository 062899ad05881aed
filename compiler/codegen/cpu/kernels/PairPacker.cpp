//===- PairPacker.cpp - Storing bfloat16 in pairs -------------------------===//

#include "codegen/cpu/kernels/PairPacker.h"

using namespace llvm;

namespace attune::cpu {

PairPacker::PairPacker(const Kernel &description)
    : kernel(description), ir(kernel.ir()), in(kernel.buffer(0)),
      out(kernel.buffer(description.arguments.size() - 1)),
      type(description.arguments.front().type) {}

Value *PairPacker::loadRow(Value *row, Value *column, int64_t lanes, Value *limit, Value *wanted) {
  Type *element = type == ElementType::F32 ? ir.getFloatTy() : ir.getBFloatTy();
  auto *vector = FixedVectorType::get(element, lanes);
  Value *left = ir.CreateSelect(wanted, ir.CreateSub(limit, column), index(0));
  return ir.CreateMaskedLoad(vector, kernel.address(in, {row, column}), Align(in.elementBytes),
                             kernel.lanesBelow(left, lanes), Constant::getNullValue(vector));
}

Value *PairPacker::asBFloat16(Value *floats) {
  const auto count = cast<FixedVectorType>(floats->getType())->getElementCount();
  return ir.CreateFPTrunc(floats, VectorType::get(ir.getBFloatTy(), count));
}

/// A perfect shuffle rotates the bits of an index by one; four of them exchange the four bits of
/// the row with those of the column.
SmallVector<Value *> PairPacker::transposed(SmallVector<Value *> rows) {
  for (int64_t bits = 1; bits < kLanes; bits *= 2) {
    SmallVector<Value *> shuffled;
    for (int64_t r = 0; r < kLanes / 2; ++r)
      for (int64_t half = 0; half < 2; ++half)
        shuffled.push_back(
            interleave(rows[r], rows[r + kLanes / 2], half * kLanes / 2, kLanes / 2));
    rows = shuffled;
  }
  return rows;
}

Value *PairPacker::interleave(Value *a, Value *b, int64_t from, int64_t count) {
  const int64_t width = cast<FixedVectorType>(a->getType())->getNumElements();
  SmallVector<int> order;
  for (int64_t k = from; k < from + count; ++k)
    order.append({static_cast<int>(k), static_cast<int>(width + k)});
  return ir.CreateShuffleVector(a, b, order);
}

} // namespace attune::cpu
