//===- LlvmExp2.cpp - 2^x in kernels that are written as LLVM IR ----------===//

#include "codegen/cpu/kernels/LlvmExp2.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/IR/IntrinsicsX86.h"

using namespace llvm;

namespace attune::cpu {

namespace {
Constant *number(Value *like, float value) {
  return ConstantFP::get(like->getType(), APFloat(value));
}

Value *polynomial(IRBuilder<> &ir, Value *f, const float *coefficients, int degree) {
  Value *p = number(f, coefficients[degree - 1]);
  for (int k = degree - 2; k >= 0; --k)
    p = ir.CreateFAdd(ir.CreateFMul(p, f), number(f, coefficients[k]));
  return ir.CreateFAdd(ir.CreateFMul(p, f), number(f, 1));
}

/// Makes a vector from what `make` gives for each register of 512 bits.
Value *byRegisters(IRBuilder<> &ir, ArrayRef<Value *> operands,
                   function_ref<Value *(ArrayRef<Value *>)> make) {
  constexpr unsigned registerLanes = 16;
  auto *whole = cast<FixedVectorType>(operands[0]->getType());
  Value *result = PoisonValue::get(whole);
  for (uint64_t lane = 0; lane < whole->getNumElements(); lane += registerLanes) {
    SmallVector<Value *> parts;
    for (Value *operand : operands) {
      Type *element = cast<FixedVectorType>(operand->getType())->getElementType();
      auto *part = FixedVectorType::get(element, registerLanes);
      parts.push_back(ir.CreateExtractVector(part, operand, lane));
    }
    result = ir.CreateInsertVector(whole, result, make(parts), lane);
  }
  return result;
}

constexpr int currentRounding = 4, everyLane = -1; // of the intrinsics
} // namespace

Value *fractionAbove(IRBuilder<> &ir, Value *x) {
  return byRegisters(ir, {x}, [&](ArrayRef<Value *> part) {
    constexpr int downExactly = 0b1001; // x minus the integer below, without raising "inexact"
    return ir.CreateIntrinsic(Intrinsic::x86_avx512_mask_reduce_ps_512, {},
                              {part[0], ir.getInt32(downExactly), number(part[0], 0),
                               ir.getInt16(everyLane), ir.getInt32(currentRounding)});
  });
}

Value *scaledByPower(IRBuilder<> &ir, Value *p, Value *x) {
  // Also for NaN, which stays NaN.
  Value *isNormal = ir.CreateFCmpUGE(x, number(x, exp2LeastNormal));
  return byRegisters(ir, {p, x, isNormal}, [&](ArrayRef<Value *> part) {
    return ir.CreateIntrinsic(Intrinsic::x86_avx512_mask_scalef_ps_512, {},
                              {part[0], part[1], number(part[0], 0),
                               ir.CreateBitCast(part[2], ir.getInt16Ty()),
                               ir.getInt32(currentRounding)});
  });
}

Value *exp2Polynomial(IRBuilder<> &ir, Value *x, int degree, const KernelTarget &target) {
  const int row = degree - minExp2Degree;
  if (target.avx512) {
    Value *p = polynomial(ir, fractionAbove(ir, x), exp2CoefficientsAbove[row], degree);
    return scaledByPower(ir, p, x);
  }
  x = ir.CreateSelect(ir.CreateFCmpOLT(x, number(x, exp2Least)), number(x, exp2Least), x);
  Value *biased = ir.CreateFAdd(x, number(x, exp2Magic));
  Value *f = ir.CreateFSub(x, ir.CreateFSub(biased, number(x, exp2Magic)));
  auto *floats = cast<FixedVectorType>(x->getType());
  auto *integers = FixedVectorType::get(ir.getInt32Ty(), floats->getNumElements());
  Value *scale = ir.CreateBitCast(ir.CreateShl(ir.CreateBitCast(biased, integers), 23), floats);
  return ir.CreateFMul(polynomial(ir, f, exp2Coefficients[row], degree), scale);
}

} // namespace attune::cpu
