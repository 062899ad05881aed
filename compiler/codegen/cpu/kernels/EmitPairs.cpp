//===- EmitPairs.cpp - Stores an accumulator in pairs of bfloat16 ---------===//

#include "codegen/cpu/kernels/KernelSymbol.h"
#include "codegen/cpu/kernels/PairPacker.h"

using namespace llvm;

namespace attune::cpu {

namespace {
/// Parts of an accumulator. Other workers may write what lies beside: stores are masked.
class PairEmitter : public PairPacker {
public:
  PairEmitter(const Kernel &description, bool biased)
      : PairPacker(description), biased(biased), count(in.extents[0]), columns(in.extents[1]),
        key(kernel.integer(biased ? 2 : 1)), end(kernel.integer(biased ? 3 : 2)) {}

protected:
  /// The elements of a key, rounded, with zeros where there is none.
  Value *load(Value *atKey, Value *column, int64_t lanes) {
    Value *row = ir.CreateSub(atKey, key);
    Value *isThere = ir.CreateAnd(ir.CreateICmpSGE(row, index(0)), ir.CreateICmpSLT(row, count));
    Value *last = ir.CreateSub(count, index(1));
    Value *sum =
        loadRow(kernel.most(kernel.least(row, last), index(0)), column, lanes, columns, isThere);
    if (biased) {
      Value *left = ir.CreateSelect(isThere, ir.CreateSub(columns, column), index(0));
      Value *bias = ir.CreateMaskedLoad(sum->getType(), kernel.address(kernel.buffer(1), {column}),
                                        Align(4), kernel.lanesBelow(left, lanes),
                                        Constant::getNullValue(sum->getType()));
      sum = ir.CreateFAdd(sum, bias);
    }
    return asBFloat16(sum);
  }

  void store(Value *value, Value *address, Value *mask) {
    const int64_t lanes = cast<FixedVectorType>(mask->getType())->getNumElements();
    Type *element = lanes == kLanes ? ir.getInt32Ty() : ir.getInt16Ty();
    auto *vector = FixedVectorType::get(element, lanes);
    ir.CreateMaskedStore(ir.CreateBitCast(value, vector), address, Align(2), mask);
  }

  const bool biased;
  Value *count, *columns, *key, *end;
};

/// Blocks of 16 keys by 16 pairs, transposed in registers.
class PanelEmitter : public PairEmitter {
public:
  using PairEmitter::PairEmitter;

private:
  void buildLoops() override {
    Value *first = ir.CreateAnd(key, index(-kLanes)), *last = kernel.roundedUp(end, kLanes);
    kernel.loop(index(0), kernel.roundedUp(out.extents[1], kLanes), kLanes, [&](Value *pair) {
      kernel.loop(first, last, kLanes, [&](Value *block) {
        Value *whole = isWhole(block, pair);
        kernel.when(whole, [&] { buildWholeBlock(block, pair); });
        kernel.when(ir.CreateNot(whole), [&] { buildBlock(block, pair); });
      });
    });
  }

  /// Nearly all blocks are there from end to end, and need neither masks nor conditions.
  Value *isWhole(Value *block, Value *pair) {
    Value *keyEnd = ir.CreateAdd(key, count);
    Value *pairEnd = kernel.least(ir.CreateUDiv(columns, index(2)), out.extents[1]);
    Value *first = ir.CreateICmpSGE(block, key);
    Value *last = ir.CreateICmpSLE(ir.CreateAdd(block, index(kLanes)), keyEnd);
    Value *deep = ir.CreateICmpSLE(ir.CreateAdd(pair, index(kLanes)), pairEnd);
    return ir.CreateAnd(ir.CreateAnd(first, last), deep);
  }

  void buildWholeBlock(Value *block, Value *pair) {
    auto *floats = FixedVectorType::get(ir.getFloatTy(), 2 * kLanes);
    auto *pairs = FixedVectorType::get(ir.getInt32Ty(), kLanes);
    Value *k = ir.CreateMul(pair, index(2));
    Value *from = kernel.address(in, {ir.CreateSub(block, key), k});
    Value *bias =
        biased ? ir.CreateAlignedLoad(floats, kernel.address(kernel.buffer(1), {k}), Align(4))
               : nullptr;
    SmallVector<Value *> rows;
    for (int64_t r = 0; r < kLanes; ++r) {
      Value *place = ir.CreateGEP(ir.getFloatTy(), from, ir.CreateMul(in.strides[0], index(r)));
      Value *sum = ir.CreateAlignedLoad(floats, place, Align(4));
      rows.push_back(ir.CreateBitCast(asBFloat16(bias ? ir.CreateFAdd(sum, bias) : sum), pairs));
    }
    Value *to = placeOf(block, pair);
    for (auto [r, row] : enumerate(transposed(rows)))
      ir.CreateAlignedStore(
          row, ir.CreateGEP(ir.getInt32Ty(), to, ir.CreateMul(out.strides[1], index(r))), Align(4));
  }

  void buildBlock(Value *block, Value *pair) {
    Value *mask = ir.CreateAnd(kernel.lanesBelow(ir.CreateSub(end, block), kLanes),
                               ir.CreateNot(kernel.lanesBelow(ir.CreateSub(key, block), kLanes)));
    SmallVector<Value *> rows;
    for (int64_t r = 0; r < kLanes; ++r)
      rows.push_back(ir.CreateBitCast(
          load(ir.CreateAdd(block, index(r)), ir.CreateMul(pair, index(2)), 2 * kLanes),
          FixedVectorType::get(ir.getInt32Ty(), kLanes)));
    for (auto [r, row] : enumerate(transposed(rows))) {
      Value *at = ir.CreateAdd(pair, index(r));
      Value *isThere = ir.CreateICmpSLT(at, out.extents[1]);
      store(row, placeOf(block, at),
            ir.CreateSelect(isThere, mask, Constant::getNullValue(mask->getType())));
    }
  }

  /// Where a pair of the first key of a block lies.
  Value *placeOf(Value *block, Value *pair) {
    Value *width = out.extents[2];
    return kernel.address(out, {ir.CreateUDiv(block, width), pair, ir.CreateURem(block, width)});
  }
};

/// Two keys at a time, interleaved.
class RowEmitter : public PairEmitter {
public:
  using PairEmitter::PairEmitter;

private:
  void buildLoops() override {
    Value *first = ir.CreateUDiv(key, index(2));
    Value *last = ir.CreateUDiv(ir.CreateAdd(end, index(1)), index(2));
    kernel.loop(first, last, 1, [&](Value *pair) {
      Value *keys[2];
      Value *halves = nullptr;
      for (int64_t k = 0; k < 2; ++k) {
        keys[k] = ir.CreateAdd(ir.CreateMul(pair, index(2)), index(k));
        Value *covered =
            ir.CreateAnd(ir.CreateICmpSGE(keys[k], key), ir.CreateICmpSLT(keys[k], end));
        Value *bits = ir.CreateSelect(covered, ir.getInt32(0x55555555u << k), ir.getInt32(0));
        halves = halves ? ir.CreateOr(halves, bits) : bits;
      }
      auto *flags = FixedVectorType::get(ir.getInt1Ty(), 2 * kLanes);
      Value *mask = ir.CreateBitCast(halves, flags);
      kernel.loop(index(0), kernel.roundedUp(out.extents[1], kLanes), kLanes, [&](Value *column) {
        Value *left = ir.CreateMul(ir.CreateSub(out.extents[1], column), index(2));
        store(interleave(load(keys[0], column, kLanes), load(keys[1], column, kLanes), 0, kLanes),
              kernel.address(out, {pair, column}),
              ir.CreateAnd(mask, kernel.lanesBelow(left, 2 * kLanes)));
      });
    });
  }
};
} // namespace

template <> Kernel describeKernel(const EmitPairsSpec &spec, const KernelTarget &target) {
  std::vector<KernelArgument> arguments{bufferArgument(2)};
  if (spec.biased)
    arguments.push_back(bufferArgument(1));
  arguments.insert(arguments.end(), 2, int32Argument());
  arguments.push_back(bufferArgument(spec.panel ? 3 : 2, ElementType::I32));
  return {kernelSymbol(spec.panel ? "emit_panel_pairs" : "emit_row_pairs",
                       spec.biased ? "biased" : "", target),
          arguments,
          {}};
}

template <> Expected<Kernel> generateKernel(const EmitPairsSpec &spec, const KernelTarget &target) {
  const Kernel kernel = describeKernel(spec, target);
  if (spec.panel)
    return PanelEmitter(kernel, spec.biased).build();
  return RowEmitter(kernel, spec.biased).build();
}

} // namespace attune::cpu
