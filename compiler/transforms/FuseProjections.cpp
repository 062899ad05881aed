//===- FuseProjections.cpp - One wide projection of several ---------------===//
#include "transforms/FuseProjections.h"

#include "dialect/Mha.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinOps.h"

using namespace mlir;

namespace attune {
#define GEN_PASS_DEF_FUSEPROJECTIONS
#include "transforms/FuseProjections.h.inc"

namespace {
/// True when `second` continues the rows of `first` and only heads are viewed of either result.
bool canFuse(mha::ProjectOp first, mha::ProjectOp second) {
  auto onlyHeads = [](mha::ProjectOp op) {
    return llvm::all_of(op->getUsers(),
                        [](Operation *user) { return isa<mha::SplitHeadsOp>(user); });
  };
  return first.getX() == second.getX() && first.getWeight() == second.getWeight() &&
         first.getBias() == second.getBias() &&
         static_cast<int64_t>(second.getFirst()) ==
             static_cast<int64_t>(first.getFirst()) + first.getColumns() &&
         second.getBiasStart() == first.getBiasStart() + first.getColumns() && onlyHeads(first) &&
         onlyHeads(second);
}

/// Replaces both by one projection where `first` stands.
mha::ProjectOp fuse(mha::ProjectOp first, mha::ProjectOp second) {
  OpBuilder builder(first);
  SmallVector<int64_t> shape(first.getResult().getType().getShape());
  shape.back() = first.getColumns() + second.getColumns();
  auto wide = mha::ProjectOp::create(
      builder, builder.getFusedLoc({first.getLoc(), second.getLoc()}),
      RankedTensorType::get(shape, first.getResult().getType().getElementType()), first.getX(),
      first.getWeight(), first.getBias(), first.getFirstAttr(), first.getBiasFirstAttr());
  for (auto [part, offset] : {std::pair(first, int64_t(0)), std::pair(second, first.getColumns())})
    for (Operation *user : llvm::make_early_inc_range(part->getUsers())) {
      auto split = cast<mha::SplitHeadsOp>(user);
      split.setFirst(split.getFirst() + offset);
      split.getXMutable().assign(wide);
    }
  first.erase();
  second.erase();
  return wide;
}

struct FuseProjectionsPass : impl::FuseProjectionsBase<FuseProjectionsPass> {
  void runOnOperation() override {
    SmallVector<mha::ProjectOp> projections;
    getOperation().walk([&](mha::ProjectOp op) { projections.push_back(op); });
    for (size_t i = 0; i < projections.size(); ++i)
      for (size_t j = i + 1; j < projections.size();) {
        if (!canFuse(projections[i], projections[j])) {
          ++j;
          continue;
        }
        projections[i] = fuse(projections[i], projections[j]);
        projections.erase(projections.begin() + j);
        j = i + 1;
      }
  }
};
} // namespace
} // namespace attune
