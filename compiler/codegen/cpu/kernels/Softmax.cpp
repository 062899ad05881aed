//===- Softmax.cpp - Exponentials of whole rows and their sums ------------===//
//
// One pass over each row. Halide computes probabilities and sums, both outputs, one after the
// other, which reads rows that no longer lie in the first-level cache once more.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/kernels/KernelSymbol.h"
#include "codegen/cpu/kernels/LlvmExp2.h"
#include "codegen/cpu/kernels/LlvmKernel.h"

using namespace llvm;

namespace attune::cpu {

namespace {
class SoftmaxBuilder {
public:
  SoftmaxBuilder(const SoftmaxSpec &spec, const KernelTarget &target, const Kernel &description)
      : spec(spec), target(target), lanes(target.vectorLanes), kernel(description), ir(kernel.ir()),
        floats(FixedVectorType::get(ir.getFloatTy(), lanes)) {}

  Expected<Kernel> build() {
    const KernelBuffer &p = kernel.buffer(2);
    kernel.loop(kernel.index(0), p.extents[0], 1, [&](Value *row) { buildRow(row, p.extents[1]); });
    return kernel.finish();
  }

private:
  void buildRow(Value *row, Value *columns) {
    Type *type = ir.getFloatTy();
    Value *maximum = ir.CreateLoad(type, kernel.address(kernel.buffer(1), {row}));
    Value *hidden = ir.CreateFCmpOEQ(maximum, ConstantFP::getInfinity(type, /*Negative=*/true));
    maximum = ir.CreateSelect(hidden, ConstantFP::get(type, 0), maximum);
    Value *rowMaximum = ir.CreateVectorSplat(lanes, maximum);
    auto body = [&](Value *column, ArrayRef<Value *> sum) -> LlvmKernelBuilder::Carried {
      Value *t =
          ir.CreateAlignedLoad(floats, kernel.address(kernel.buffer(0), {row, column}), Align(4));
      Value *exponent = ir.CreateFMul(ir.CreateFSub(t, rowMaximum), number(spec.scale * log2E));
      Value *p = exp2Polynomial(ir, exponent, spec.exp2Degree, target);
      ir.CreateAlignedStore(p, kernel.address(kernel.buffer(2), {row, column}), Align(4));
      if (spec.rounds)
        ir.CreateAlignedStore(ir.CreateFPTrunc(p, FixedVectorType::get(ir.getBFloatTy(), lanes)),
                              kernel.address(kernel.buffer(3), {row, column}), Align(2));
      return {ir.CreateFAdd(sum[0], p)};
    };
    Value *sum = kernel.loop(kernel.index(0), columns, lanes, {number(0)}, body)[0];
    const KernelBuffer &sums = kernel.buffer(spec.rounds ? 4 : 3);
    ir.CreateAlignedStore(sum, kernel.address(sums, {row, kernel.index(0)}), Align(4));
  }

  Value *number(double value) {
    return ConstantFP::get(floats, APFloat(static_cast<float>(value)));
  }

  const SoftmaxSpec &spec;
  const KernelTarget &target;
  const unsigned lanes;
  LlvmKernelBuilder kernel;
  IRBuilder<> &ir;
  Type *floats;
};
} // namespace

template <> Kernel describeKernel(const SoftmaxSpec &spec, const KernelTarget &target) {
  std::string key = std::to_string(spec.exp2Degree) + ' ';
  raw_string_ostream(key).write_hex(bit_cast<uint64_t>(spec.scale));
  Kernel kernel{kernelSymbol(spec.rounds ? "softmax_rounded" : "softmax", key, target), {}, {}};
  kernel.arguments = {bufferArgument(2), bufferArgument(1), bufferArgument(2)};
  if (spec.rounds)
    kernel.arguments.push_back(bufferArgument(2, ElementType::BF16));
  kernel.arguments.push_back(bufferArgument(2));
  return kernel;
}

template <> Expected<Kernel> generateKernel(const SoftmaxSpec &spec, const KernelTarget &target) {
  const Kernel kernel = describeKernel(spec, target);
  if (spec.exp2Degree < minExp2Degree || spec.exp2Degree > maxExp2Degree)
    return createStringError("kernel " + kernel.symbol + ": the degree of exp2 must be 3 to 7");
  return SoftmaxBuilder(spec, target, kernel).build();
}

} // namespace attune::cpu
