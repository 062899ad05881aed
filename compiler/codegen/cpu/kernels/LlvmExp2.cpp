//===- LlvmExp2.cpp - 2^x in kernels that are written as LLVM IR ----------===//

#include "codegen/cpu/kernels/LlvmExp2.h"

using namespace llvm;

namespace attune::cpu {

Value *exp2Polynomial(IRBuilder<> &ir, Value *x, int degree) {
  auto *floats = cast<FixedVectorType>(x->getType());
  auto number = [&](float value) { return ConstantFP::get(floats, APFloat(value)); };
  x = ir.CreateSelect(ir.CreateFCmpOLT(x, number(exp2Least)), number(exp2Least), x);
  Value *biased = ir.CreateFAdd(x, number(exp2Magic));
  Value *f = ir.CreateFSub(x, ir.CreateFSub(biased, number(exp2Magic)));
  const float *coefficients = exp2Coefficients[degree - minExp2Degree];
  Value *p = number(coefficients[degree - 1]);
  for (int k = degree - 2; k >= 0; --k)
    p = ir.CreateFAdd(ir.CreateFMul(p, f), number(coefficients[k]));
  p = ir.CreateFAdd(ir.CreateFMul(p, f), number(1));
  auto *integers = FixedVectorType::get(ir.getInt32Ty(), floats->getNumElements());
  Value *scale = ir.CreateBitCast(ir.CreateShl(ir.CreateBitCast(biased, integers), 23), floats);
  return ir.CreateFMul(p, scale);
}

} // namespace attune::cpu
