//===- PackPairs.cpp - Pairs of bfloat16 along the depth ------------------===//

#include "codegen/cpu/kernels/KernelSymbol.h"
#include "codegen/cpu/kernels/PairPacker.h"

using namespace llvm;

namespace attune::cpu {

namespace {
/// What both packings share.
class WholePacker : public PairPacker {
public:
  using PairPacker::PairPacker;

protected:
  Value *load(Value *row, Value *column, int64_t lanes, Value *limit, Value *wanted) {
    return asBFloat16(loadRow(row, column, lanes, limit, wanted));
  }

  /// Stores 16 pairs, which follow each other along a row of the target.
  void storePairs(Value *pairs, Value *row, Value *column) {
    Type *vector = FixedVectorType::get(ir.getInt32Ty(), kLanes);
    ir.CreateAlignedStore(ir.CreateBitCast(pairs, vector), kernel.address(out, {row, column}),
                          Align(4));
  }
};

/// Blocks of 16 rows by 16 pairs, transposed in registers.
class PanelPacker : public WholePacker {
public:
  using WholePacker::WholePacker;

private:
  void buildLoops() override {
    kernel.loop(index(0), out.extents[1], kLanes, [&](Value *column) {
      kernel.loop(index(0), out.extents[0], kLanes, [&](Value *pair) { buildBlock(column, pair); });
    });
  }

  void buildBlock(Value *column, Value *pair) {
    Value *count = kernel.integer(1), *last = ir.CreateSub(count, index(1));
    Value *k = ir.CreateMul(pair, index(2));
    SmallVector<Value *> rows;
    for (int64_t r = 0; r < kLanes; ++r) {
      Value *row = ir.CreateAdd(column, index(r));
      Value *loaded =
          load(kernel.least(row, last), k, 2 * kLanes, in.extents[1], ir.CreateICmpSLT(row, count));
      rows.push_back(ir.CreateBitCast(loaded, FixedVectorType::get(ir.getInt32Ty(), kLanes)));
    }
    for (auto [r, row] : enumerate(transposed(rows)))
      storePairs(row, ir.CreateAdd(pair, index(r)), column);
  }
};

/// Two rows at a time, interleaved.
class RowPacker : public WholePacker {
public:
  RowPacker(const Kernel &description, std::optional<ElementType> padding)
      : WholePacker(description), padding(padding) {}

private:
  void buildLoops() override {
    Value *count = in.extents[0], *last = ir.CreateSub(count, index(1));
    Value *columns = in.extents[1];
    kernel.loop(index(0), out.extents[0], 1, [&](Value *pair) {
      Value *rows[2], *wanted[2];
      for (int64_t k = 0; k < 2; ++k) {
        Value *row = ir.CreateAdd(ir.CreateMul(pair, index(2)), index(k));
        rows[k] = kernel.most(kernel.least(row, last), index(0));
        wanted[k] = ir.CreateICmpSLT(row, count);
        if (padding)
          wanted[k] = ir.CreateSelect(wanted[k], isVisible(rows[k], wanted[k]), ir.getFalse());
      }
      kernel.loop(index(0), out.extents[1], kLanes, [&](Value *column) {
        Value *loaded[2];
        for (int64_t k = 0; k < 2; ++k)
          loaded[k] = load(rows[k], column, kLanes, columns, wanted[k]);
        storePairs(interleave(loaded[0], loaded[1], 0, kLanes), pair, column);
      });
    });
  }

  /// What a padding mask says of a row that is `there`.
  Value *isVisible(Value *row, Value *there) {
    const unsigned bits = static_cast<unsigned>(elementBytes(*padding) * 8);
    auto *vector = FixedVectorType::get(ir.getIntNTy(bits), 1);
    Value *loaded = ir.CreateMaskedLoad(
        vector, kernel.address(kernel.buffer(1), {row}), Align(elementBytes(*padding)),
        ir.CreateVectorSplat(1, there), Constant::getNullValue(vector));
    Value *element = ir.CreateExtractElement(loaded, uint64_t(0));
    if (*padding == ElementType::U8)
      return ir.CreateICmpEQ(element, ir.getInt8(0));
    const fltSemantics &format = *padding == ElementType::F32    ? APFloat::IEEEsingle()
                                 : *padding == ElementType::BF16 ? APFloat::BFloat()
                                                                 : APFloat::IEEEhalf();
    const APInt hidden = APFloat::getInf(format, /*Negative=*/true).bitcastToAPInt();
    return ir.CreateICmpNE(element, ir.getInt(hidden));
  }

  std::optional<ElementType> padding;
};
} // namespace

template <> Kernel describeKernel(const PackPairsSpec &spec, const KernelTarget &target) {
  std::string name =
      std::string(spec.panel ? "pack_panel_pairs" : "pack_row_pairs") + typeSuffix(spec.type);
  std::vector<KernelArgument> arguments{bufferArgument(2, spec.type)};
  if (spec.padding) {
    name += std::string("_padding_") + elementName(*spec.padding);
    arguments.push_back(bufferArgument(1, *spec.padding));
  }
  if (spec.panel)
    arguments.push_back(int32Argument());
  arguments.push_back(bufferArgument(2, ElementType::I32));
  return {kernelSymbol(name, "", target), arguments, {}};
}

template <> Expected<Kernel> generateKernel(const PackPairsSpec &spec, const KernelTarget &target) {
  const Kernel kernel = describeKernel(spec, target);
  if (spec.panel)
    return PanelPacker(kernel).build();
  return RowPacker(kernel, spec.padding).build();
}

} // namespace attune::cpu
