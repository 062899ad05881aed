//===- PairProducts.cpp - Products of bfloat16 with sums in float32 -------===//
//
// Two forms of one loop nest. Vectors: vdpbf16ps multiplies pairs of a column with a pair of a row
// that is broadcast. Tiles: AMX multiplies 16 rows by 16 columns, 32 deep; four accumulators share
// two tiles of rows and two of columns. Both read the same layout of pairs.
//
//===----------------------------------------------------------------------===//

#include "codegen/cpu/kernels/KernelSymbol.h"
#include "codegen/cpu/kernels/LlvmKernel.h"
#include "llvm/IR/IntrinsicsX86.h"

using namespace llvm;

namespace attune::cpu {

namespace {
constexpr int64_t kLanes = 16;
constexpr int64_t kTileBytes = 64;

/// The loop nest without its innermost block.
class PairProductsBuilder {
public:
  PairProductsBuilder(const PairProductsSpec &spec, const Kernel &kernel)
      : spec(spec), kernel(kernel), ir(this->kernel.ir()), a(this->kernel.buffer(0)),
        b(this->kernel.buffer(1)), c(this->kernel.buffer(kernel.arguments.size() - 1)) {
    unsigned next = spec.start == PairProductsSpec::Start::Rescaled ? 3 : 2;
    count = this->kernel.integer(next++);
    depth = this->kernel.integer(next++);
    panels = spec.panels ? this->kernel.integer(next) : index(1);
  }
  virtual ~PairProductsBuilder() = default;

  Expected<Kernel> build() {
    prepare();
    kernel.loop(index(0), panels, 1, [&](Value *panel) { buildPanel(panel); });
    return kernel.finish();
  }

protected:
  using Carried = LlvmKernelBuilder::Carried;
  /// What comes before the loops.
  virtual void prepare() {}
  virtual void buildPanel(Value *panel) = 0;

  Value *index(int64_t value) { return kernel.index(value); }
  Value *plus(Value *value, int64_t more) { return ir.CreateAdd(value, index(more)); }

  Value *addressA(Value *row, Value *k) { return kernel.address(a, {row, k}); }
  Value *addressB(Value *panel, Value *pair, Value *column) {
    if (spec.panels)
      return kernel.address(b, {panel, pair, column});
    return kernel.address(b, {pair, column});
  }
  Value *addressC(Value *panel, Value *row, Value *column) {
    Value *first = ir.CreateMul(panel, index(spec.width));
    return kernel.address(c, {row, ir.CreateAdd(first, column)});
  }
  Value *rescaleOf(Value *row) {
    return ir.CreateLoad(ir.getFloatTy(), kernel.address(kernel.buffer(2), {row}));
  }

  const PairProductsSpec &spec;
  LlvmKernelBuilder kernel;
  IRBuilder<> &ir;
  const KernelBuffer &a, &b, &c;
  Value *count, *depth, *panels;
};

//===----------------------------------------------------------------------===//
// Vectors
//===----------------------------------------------------------------------===//

class VectorProducts : public PairProductsBuilder {
public:
  VectorProducts(const PairProductsSpec &spec, const Kernel &description)
      : PairProductsBuilder(spec, description),
        floats(FixedVectorType::get(ir.getFloatTy(), kLanes)),
        pairs(FixedVectorType::get(ir.getInt32Ty(), kLanes)),
        halves(FixedVectorType::get(ir.getBFloatTy(), 2 * kLanes)) {}

private:
  /// Column block -> row block -> depth: a panel of b stays in cache while the row blocks pass.
  void buildPanel(Value *panel) override {
    const int64_t rows = spec.block.rows, columns = spec.block.vectors * kLanes;
    Value *allRows = kernel.roundedUp(count, rows);
    Value *allPairs = ir.CreateUDiv(plus(depth, 1), index(2));
    kernel.loop(index(0), index(spec.width), columns, [&](Value *column) {
      kernel.loop(index(0), allRows, rows, [&](Value *row) {
        Carried sums =
            kernel.loop(index(0), allPairs, 1, start(panel, row, column),
                        [&](Value *pair, ArrayRef<Value *> carried) {
                          return multiply(carried, row, pair, addressB(panel, pair, column));
                        });
        forEach([&](int64_t r, int64_t v, size_t position) {
          ir.CreateAlignedStore(sums[position], addressC(panel, plus(row, r), plus(column, v)),
                                Align(4));
        });
      });
    });
  }

  void forEach(function_ref<void(int64_t row, int64_t column, size_t position)> body) {
    size_t position = 0;
    for (int64_t r = 0; r < spec.block.rows; ++r)
      for (int64_t v = 0; v < spec.block.vectors; ++v)
        body(r, v * kLanes, position++);
  }

  Carried start(Value *panel, Value *row, Value *column) {
    Carried sums;
    forEach([&](int64_t r, int64_t v, size_t) {
      if (spec.start == PairProductsSpec::Start::Fresh)
        return sums.push_back(Constant::getNullValue(floats));
      Value *old =
          ir.CreateAlignedLoad(floats, addressC(panel, plus(row, r), plus(column, v)), Align(4));
      if (spec.start == PairProductsSpec::Start::Rescaled)
        old = ir.CreateFMul(old, ir.CreateVectorSplat(kLanes, rescaleOf(plus(row, r))));
      sums.push_back(old);
    });
    return sums;
  }

  Carried multiply(ArrayRef<Value *> carried, Value *row, Value *pair, Value *from) {
    SmallVector<Value *> right, left;
    for (int64_t v = 0; v < spec.block.vectors; ++v) {
      Value *place = ir.CreateConstGEP1_64(ir.getInt32Ty(), from, v * kLanes);
      right.push_back(ir.CreateBitCast(ir.CreateAlignedLoad(pairs, place, Align(4)), halves));
    }
    Value *k = ir.CreateMul(pair, index(2));
    for (int64_t r = 0; r < spec.block.rows; ++r) {
      Value *one = ir.CreateAlignedLoad(ir.getInt32Ty(), addressA(plus(row, r), k), Align(2));
      left.push_back(ir.CreateBitCast(ir.CreateVectorSplat(kLanes, one), halves));
    }
    Carried sums;
    forEach([&](int64_t r, int64_t v, size_t position) {
      sums.push_back(ir.CreateIntrinsic(Intrinsic::x86_avx512bf16_dpbf16ps_512, {},
                                        {carried[position], left[r], right[v / kLanes]}));
    });
    return sums;
  }

  Type *floats, *pairs, *halves;
};

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

class TileProducts : public PairProductsBuilder {
public:
  using PairProductsBuilder::PairProductsBuilder;

private:
  /// Accumulators go through memory before the first product: a row is rescaled there, if its
  /// maximum has moved.
  void prepare() override {
    if (spec.start != PairProductsSpec::Start::Rescaled)
      return;
    Type *floats = FixedVectorType::get(ir.getFloatTy(), kLanes);
    kernel.loop(index(0), count, 1, [&](Value *row) {
      Value *factor = rescaleOf(row);
      Value *moved = ir.CreateFCmpUNE(factor, ConstantFP::get(ir.getFloatTy(), 1));
      kernel.when(moved, [&] {
        Value *all = ir.CreateVectorSplat(kLanes, factor);
        kernel.loop(index(0), index(spec.width), kLanes, [&](Value *column) {
          Value *place = addressC(index(0), row, column);
          Value *old = ir.CreateAlignedLoad(floats, place, Align(4));
          ir.CreateAlignedStore(ir.CreateFMul(old, all), place, Align(4));
        });
      });
    });
  }

  /// Row block -> column block -> depth, two by two tiles while there are so many: the rows, which
  /// may lie far apart, come from the second-level cache once.
  void buildPanel(Value *panel) override {
    Value *allRows = kernel.roundedUp(count, pairTileRows);
    Value *inTwos = kernel.roundedDown(allRows, 2 * pairTileRows);
    kernel.loop(index(0), inTwos, 2 * pairTileRows, [&](Value *row) { buildRows(panel, row, 2); });
    kernel.loop(inTwos, allRows, pairTileRows, [&](Value *row) { buildRows(panel, row, 1); });
  }

  void buildRows(Value *panel, Value *row, int64_t rowTiles) {
    const int64_t wide = spec.width / (2 * kLanes) * 2 * kLanes;
    kernel.loop(index(0), index(wide), 2 * kLanes,
                [&](Value *column) { buildBlock(panel, row, column, rowTiles, 2); });
    if (wide < spec.width)
      buildBlock(panel, row, index(wide), rowTiles, 1);
  }

  void buildBlock(Value *panel, Value *row, Value *column, int64_t rowTiles, int64_t columnTiles) {
    auto at = [&](int64_t r, int64_t v) {
      return addressC(panel, plus(row, r * pairTileRows), plus(column, v * kLanes));
    };
    Carried sums;
    for (int64_t r = 0; r < rowTiles; ++r)
      for (int64_t v = 0; v < columnTiles; ++v)
        sums.push_back(spec.start == PairProductsSpec::Start::Fresh
                           ? call(Intrinsic::x86_tilezero_internal, {})
                           : loadTile(at(r, v), c, c.strides[0]));
    Value *allDepth = kernel.roundedUp(depth, pairTileDepth);
    sums = kernel.loop(index(0), allDepth, pairTileDepth, sums,
                       [&](Value *k, ArrayRef<Value *> carried) {
                         if (spec.prefetchNext)
                           prefetch(row, column, k, allDepth);
                         return multiply(carried, panel, row, column, k, rowTiles, columnTiles);
                       });
    size_t position = 0;
    for (int64_t r = 0; r < rowTiles; ++r)
      for (int64_t v = 0; v < columnTiles; ++v)
        call(Intrinsic::x86_tilestored64_internal,
             {at(r, v), bytes(c.strides[0], c), sums[position++]});
  }

  Carried multiply(ArrayRef<Value *> carried, Value *panel, Value *row, Value *column, Value *k,
                   int64_t rowTiles, int64_t columnTiles) {
    SmallVector<Value *> left, right;
    Value *pair = ir.CreateUDiv(k, index(2));
    for (int64_t r = 0; r < rowTiles; ++r)
      left.push_back(loadTile(addressA(plus(row, r * pairTileRows), k), a, a.strides[0]));
    for (int64_t v = 0; v < columnTiles; ++v)
      right.push_back(
          loadTile(addressB(panel, pair, plus(column, v * kLanes)), b, b.strides[spec.panels]));
    Carried sums;
    for (int64_t r = 0; r < rowTiles; ++r)
      for (int64_t v = 0; v < columnTiles; ++v)
        sums.push_back(
            ir.CreateIntrinsic(Intrinsic::x86_tdpbf16ps_internal, {},
                               {ir.getInt16(pairTileRows), ir.getInt16(kTileBytes),
                                ir.getInt16(kTileBytes), carried[sums.size()], left[r], right[v]}));
    return sums;
  }

  /// Fetches a part of the panel behind b in each step along the depth of a block: of its width *
  /// depth / 32 cache lines as many, in groups, as make all of them by the end of the last block.
  /// With more than 1024 rows that is less than a line a step, and none is fetched.
  void prefetch(Value *row, Value *column, Value *k, Value *allDepth) {
    constexpr int64_t group = 4, lineBytes = 64, blockRows = 2 * pairTileRows,
                      blockColumns = 2 * kLanes;
    Value *rowBlocks = ir.CreateUDiv(kernel.roundedUp(count, blockRows), index(blockRows));
    Value *lines = kernel.roundedUp(ir.CreateUDiv(index(pairTileDepth), rowBlocks), group);
    Value *rowBlock = ir.CreateUDiv(row, index(blockRows));
    Value *block = ir.CreateAdd(ir.CreateMul(rowBlock, index(spec.width / blockColumns)),
                                ir.CreateUDiv(column, index(blockColumns)));
    Value *steps = ir.CreateUDiv(allDepth, index(pairTileDepth));
    Value *step = ir.CreateAdd(ir.CreateMul(block, steps), ir.CreateUDiv(k, index(pairTileDepth)));
    Value *next = addressB(index(0), ir.CreateUDiv(allDepth, index(2)), index(0));
    constexpr int read = 0, secondLevel = 2, data = 1;
    kernel.loop(index(0), lines, group, [&](Value *done) {
      Value *first = ir.CreateAdd(ir.CreateMul(step, lines), done);
      Value *from = ir.CreateGEP(ir.getInt8Ty(), next, ir.CreateMul(first, index(lineBytes)));
      for (int64_t line = 0; line < group; ++line)
        ir.CreateIntrinsic(Intrinsic::prefetch, {from->getType()},
                           {ir.CreateConstGEP1_64(ir.getInt8Ty(), from, line * lineBytes),
                            ir.getInt32(read), ir.getInt32(secondLevel), ir.getInt32(data)});
    });
  }

  Value *bytes(Value *stride, const KernelBuffer &buffer) {
    return ir.CreateMul(stride, index(buffer.elementBytes));
  }

  Value *loadTile(Value *place, const KernelBuffer &buffer, Value *stride) {
    return call(Intrinsic::x86_tileloadd64_internal, {place, bytes(stride, buffer)});
  }

  /// An operation on whole tiles.
  Value *call(Intrinsic::ID operation, ArrayRef<Value *> operands) {
    SmallVector<Value *> all{ir.getInt16(pairTileRows), ir.getInt16(kTileBytes)};
    all.append(operands.begin(), operands.end());
    return ir.CreateIntrinsic(operation, {}, all);
  }
};

std::string startName(PairProductsSpec::Start start) {
  constexpr const char *names[] = {"_fresh", "", "_rescaled"}; // by Start
  return names[static_cast<int>(start)];
}
} // namespace

template <> Kernel describeKernel(const PairProductsSpec &spec, const KernelTarget &target) {
  const bool tiles = target.pairProducts == PairProducts::Tiles;
  std::string prefix = (tiles ? "tile_products_c" : "pair_products_c") +
                       std::to_string(spec.width) + startName(spec.start);
  std::string key = spec.panels ? "panels" : "";
  if (spec.prefetchNext)
    key += " prefetch";
  if (!tiles)
    key += " " + std::to_string(spec.block.rows) + "x" + std::to_string(spec.block.vectors);
  Kernel kernel{
      kernelSymbol(prefix, key, target),
      {bufferArgument(2, ElementType::BF16), bufferArgument(spec.panels ? 3 : 2, ElementType::I32)},
      {}};
  if (spec.start == PairProductsSpec::Start::Rescaled)
    kernel.arguments.push_back(bufferArgument(1));
  kernel.arguments.insert(kernel.arguments.end(), 2 + spec.panels, int32Argument());
  kernel.arguments.push_back(bufferArgument(2));
  return kernel;
}

template <>
Expected<Kernel> generateKernel(const PairProductsSpec &spec, const KernelTarget &target) {
  const Kernel kernel = describeKernel(spec, target);
  switch (target.pairProducts) {
  case PairProducts::Tiles:
    return TileProducts(spec, kernel).build();
  case PairProducts::Vectors:
    return VectorProducts(spec, kernel).build();
  case PairProducts::None:
    break;
  }
  return createStringError("kernel " + kernel.symbol + ": the target multiplies no pairs");
}

} // namespace attune::cpu
