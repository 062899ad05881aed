//===- InterpreterRegion.cpp - A region as a list of instructions ---------===//
#include "dialect/InterpreterRegion.h"

#include "dialect/InterpreterCore.h"
#include "dialect/Mha.h"

using namespace mlir;

namespace attune::mha::interpreter {

llvm::Expected<RegionPlan> RegionPlan::compile(Region &region, const InterpreterOptions &options) {
  RegionPlan plan;
  Block &block = region.front();
  plan.argumentCount = block.getNumArguments();
  for (BlockArgument argument : block.getArguments())
    plan.slotOf(argument);
  for (Operation &op : block.without_terminator())
    if (llvm::Error error = plan.add(op, options))
      return std::move(error);
  plan.resultSlot = plan.slotOf(cast<YieldOp>(block.getTerminator()).getValue());
  for (auto [value, slot] : plan.slotNumbers)
    if (value.getParentBlock() != &block)
      plan.outside.push_back({value, slot});
  return plan;
}

unsigned RegionPlan::slotOf(Value value) {
  auto [entry, isNew] = slotNumbers.try_emplace(value, slots.size());
  if (isNew)
    slots.emplace_back();
  return entry->second;
}

llvm::Error RegionPlan::add(Operation &op, const InterpreterOptions &options) {
  if (auto constant = constantScalar(&op, options)) {
    slots[slotOf(op.getResult(0))] = *constant;
    return llvm::Error::success();
  }
  if (isa<SizeOp>(op)) {
    sizes.push_back({&op, slotOf(op.getResult(0))});
    return llvm::Error::success();
  }
  Step step{&op, {}, {}, 0};
  if (auto element = dyn_cast<ElementOp>(op)) {
    auto type = cast<ShapedType>(element.getSource().getType());
    if (type.getRank() != static_cast<int64_t>(element.getIndices().size()))
      return fail(&op, "takes one index a dimension");
    step.array = arrays.size();
    arrays.push_back({element.getSource(), ElementKind(type.getElementType(), options), {}});
    for (Value index : element.getIndices())
      step.operands.push_back(slotOf(index));
  } else if (auto instruction = translateScalar(&op, options)) {
    step.instruction = *instruction;
    for (Value operand : op.getOperands())
      step.operands.push_back(slotOf(operand));
  } else {
    return fail(&op, "is not supported in a score or keep region");
  }
  step.result = slotOf(op.getResult(0));
  steps.push_back(std::move(step));
  return llvm::Error::success();
}

void RegionPlan::bind(llvm::function_ref<Scalar(Value)> scalarOf,
                      llvm::function_ref<Array(Value)> arrayOf) {
  for (Outside &captured : outside)
    slots[captured.slot] = scalarOf(captured.value);
  for (Source &source : arrays)
    source.array = arrayOf(source.value);
}

llvm::Error RegionPlan::bindLengths(std::optional<Lengths> lengths) {
  for (const Size &size : sizes) {
    if (!lengths)
      return fail(size.op, "stands in a region of an operation on tiles, which has no lengths");
    const bool isTarget = cast<SizeOp>(size.op).getKind() == SizeKind::Target;
    slots[size.slot].integer = isTarget ? lengths->target : lengths->source;
  }
  return llvm::Error::success();
}

bool RegionPlan::runElement(const Step &step) {
  const Source &source = arrays[step.array];
  int64_t position = source.array.offset;
  for (size_t k = 0; k < step.operands.size(); ++k) {
    const int64_t index = slots[step.operands[k]].integer;
    if (index < 0 || index >= source.array.shape[k])
      return false;
    position += index * source.array.strides[k];
  }
  if (position < 0 || position >= static_cast<int64_t>(source.array.storage->size()))
    return false;
  slots[step.result] = source.kind.toScalar((*source.array.storage)[position]);
  return true;
}

llvm::Error RegionPlan::error() const {
  if (failed->array < 0)
    return fail(failed->op, "divides by zero");
  std::vector<int64_t> indices;
  for (unsigned slot : failed->operands)
    indices.push_back(slots[slot].integer);
  return fail(failed->op, describeOutOfRange(indices, {}, arrays[failed->array].array));
}

} // namespace attune::mha::interpreter
