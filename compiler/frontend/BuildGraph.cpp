//===- BuildGraph.cpp - Configuration to graph IR -------------------------===//
#include "frontend/BuildGraph.h"

#include "dialect/Mha.h"
#include "frontend/Interface.h"
#include "frontend/ScoreRegion.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;

namespace attune {

namespace {
mha::Order interfaceOrder(const Config &config) {
  const bool batched = config.forward.batched;
  if (config.op == Op::Attention)
    return batched ? mha::Order::NHLD : mha::Order::HLD;
  if (!batched)
    return mha::Order::LE;
  return config.module.batchFirst ? mha::Order::NLE : mha::Order::LNE;
}

RankedTensorType tensorType(const InterfaceTensor &tensor, Builder &builder) {
  SmallVector<int64_t> shape;
  for (const SymbolicSize &size : tensor.sizes)
    shape.push_back(size.symbol == SizeSymbol::Fixed ? size.factor : ShapedType::kDynamic);
  const Type floats[] = {builder.getF32Type(), builder.getBF16Type(), builder.getF16Type()};
  Type element = tensor.type == InterfaceType::Mask ? Type(builder.getI8Type())
                                                    : floats[static_cast<int>(tensor.dtype)];
  return RankedTensorType::get(shape, element);
}

/// Builds the body of `forward` from its named arguments.
class GraphBuilder {
public:
  GraphBuilder(const Config &config, OpBuilder &builder, func::FuncOp function)
      : config(config), builder(builder), function(function), loc(function.getLoc()) {}

  void bind(StringRef name, Value value) { values[name] = value; }

  SmallVector<Value> attention() {
    mha::OrderAttr order = mha::OrderAttr::get(builder.getContext(), interfaceOrder(config));
    auto split = [&](Value x) -> Value {
      auto type = cast<RankedTensorType>(x.getType());
      SmallVector<int64_t> heads(type.getShape());
      if (heads.size() == 3)
        heads.insert(heads.begin(), 1);
      return mha::SplitHeadsOp::create(builder, loc, type.clone(heads), x, order,
                                       builder.getI64IntegerAttr(0));
    };
    Value query = split(values.lookup("query")), key = split(keyInput()),
          value = split(valueInput());
    auto attended = mha::AttentionOp::create(
        builder, loc, query.getType(), weightsType(), query, key, value, Value(), Value(),
        values.lookup("attn_mask"), values.lookup("key_padding_mask"),
        builder.getF64FloatAttr(config.scale()), isCausal(), nanMaskedRows(), averageWeights());
    buildScoreRegion(config, attended.getScore(), loc);
    Value merged = mha::MergeHeadsOp::create(builder, loc, values.lookup("query").getType(),
                                             attended.getResult(), order);
    return results(merged, attended.getWeights());
  }

  SmallVector<Value> multiheadAttention() {
    Value query = values.lookup("query");
    SmallVector<Value> weights;
    for (const char *name : {"in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight"})
      if (Value weight = values.lookup(name))
        weights.push_back(weight);
    auto module = mha::MultiheadAttentionOp::create(
        builder, loc, query.getType(), weightsType(), query, keyInput(), valueInput(), weights,
        values.lookup("in_proj_bias"), values.lookup("bias_k"), values.lookup("bias_v"),
        values.lookup("out_proj.weight"), values.lookup("out_proj.bias"),
        values.lookup("attn_mask"), values.lookup("key_padding_mask"),
        mha::OrderAttr::get(builder.getContext(), interfaceOrder(config)),
        builder.getI64IntegerAttr(config.module.numHeads), isCausal(),
        unitIf(config.module.addZeroAttn), nanMaskedRows(), averageWeights());
    buildScoreRegion(config, module.getScore(), loc);
    return results(module.getResult(), module.getWeights());
  }

private:
  Value keyInput() {
    return config.forward.inputs == Inputs::Self ? values.lookup("query") : values.lookup("key");
  }
  Value valueInput() {
    return config.forward.inputs == Inputs::Separate ? values.lookup("value") : keyInput();
  }
  /// The type of the second result, null without one.
  Type weightsType() {
    std::vector<InterfaceTensor> outputs = interfaceOutputs(config);
    return outputs.size() > 1 ? Type(tensorType(outputs[1], builder)) : Type();
  }
  static SmallVector<Value> results(Value out, Value weights) {
    SmallVector<Value> values = {out};
    if (weights)
      values.push_back(weights);
    return values;
  }
  UnitAttr unitIf(bool condition) { return condition ? builder.getUnitAttr() : UnitAttr(); }
  UnitAttr isCausal() { return unitIf(config.forward.isCausal); }
  UnitAttr nanMaskedRows() { return unitIf(config.fullyMaskedRows == FullyMaskedRows::Nan); }
  UnitAttr averageWeights() {
    return unitIf(config.forward.needWeights && config.forward.averageAttnWeights);
  }

  const Config &config;
  OpBuilder &builder;
  func::FuncOp function;
  Location loc;
  llvm::StringMap<Value> values;
};
} // namespace

OwningOpRef<ModuleOp> buildGraph(const Config &config, MLIRContext &context) {
  context.loadDialect<mha::MhaDialect, arith::ArithDialect, func::FuncDialect, math::MathDialect>();
  OpBuilder builder(&context);
  Location loc = builder.getUnknownLoc();
  OwningOpRef<ModuleOp> module = ModuleOp::create(loc, config.name);
  builder.setInsertionPointToEnd(module->getBody());

  std::vector<InterfaceTensor> inputs = interfaceInputs(config);
  std::vector<InterfaceTensor> parameters = interfaceParameters(config);
  SmallVector<Type> argumentTypes;
  for (const auto *list : {&inputs, &parameters})
    for (const InterfaceTensor &tensor : *list)
      argumentTypes.push_back(tensorType(tensor, builder));
  SmallVector<Type> resultTypes;
  for (const InterfaceTensor &tensor : interfaceOutputs(config))
    resultTypes.push_back(tensorType(tensor, builder));

  auto function = func::FuncOp::create(builder, loc, "forward",
                                       builder.getFunctionType(argumentTypes, resultTypes));
  Block *entry = function.addEntryBlock();
  builder.setInsertionPointToStart(entry);
  GraphBuilder graph(config, builder, function);
  for (auto [index, argument] : llvm::enumerate(entry->getArguments())) {
    bool isParameter = index >= inputs.size();
    const InterfaceTensor &tensor = isParameter ? parameters[index - inputs.size()] : inputs[index];
    function.setArgAttr(index, isParameter ? "mha.parameter" : "mha.input",
                        builder.getStringAttr(tensor.name));
    graph.bind(tensor.name, argument);
  }
  func::ReturnOp::create(
      builder, loc, config.op == Op::Attention ? graph.attention() : graph.multiheadAttention());
  return module;
}

} // namespace attune
