//===- BuildGraph.cpp - Configuration to graph IR -------------------------===//
#include "frontend/BuildGraph.h"

#include "dialect/Mha.h"
#include "frontend/Interface.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
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
  Type element =
      tensor.type == InterfaceType::Mask ? Type(builder.getI8Type()) : Type(builder.getF32Type());
  return RankedTensorType::get(shape, element);
}

/// Builds the body of `forward` from its named arguments.
class GraphBuilder {
public:
  GraphBuilder(const Config &config, OpBuilder &builder, func::FuncOp function)
      : config(config), builder(builder), function(function), loc(function.getLoc()) {}

  void bind(StringRef name, Value value) { values[name] = value; }

  Value attention() {
    mha::OrderAttr order = mha::OrderAttr::get(builder.getContext(), interfaceOrder(config));
    auto split = [&](Value x) -> Value {
      auto shape = cast<RankedTensorType>(x.getType()).getShape();
      SmallVector<int64_t> heads(shape);
      if (heads.size() == 3)
        heads.insert(heads.begin(), 1);
      return mha::SplitHeadsOp::create(builder, loc,
                                       RankedTensorType::get(heads, builder.getF32Type()), x, order,
                                       builder.getI64IntegerAttr(0));
    };
    Value query = split(values.lookup("query")), key = split(keyInput()),
          value = split(valueInput());
    auto attended = mha::AttentionOp::create(
        builder, loc, query.getType(), query, key, value, values.lookup("attn_mask"),
        builder.getF64FloatAttr(config.scale()), isCausal(), nanMaskedRows());
    return mha::MergeHeadsOp::create(builder, loc, values.lookup("query").getType(), attended,
                                     order);
  }

  Value multiheadAttention() {
    Value query = values.lookup("query");
    return mha::MultiheadAttentionOp::create(
        builder, loc, query.getType(), query, keyInput(), valueInput(),
        values.lookup("in_proj_weight"), values.lookup("in_proj_bias"),
        values.lookup("out_proj.weight"), values.lookup("out_proj.bias"),
        values.lookup("attn_mask"),
        mha::OrderAttr::get(builder.getContext(), interfaceOrder(config)),
        builder.getI64IntegerAttr(config.module.numHeads), isCausal(), nanMaskedRows());
  }

private:
  Value keyInput() {
    return config.forward.inputs == Inputs::Self ? values.lookup("query") : values.lookup("key");
  }
  Value valueInput() {
    return config.forward.inputs == Inputs::Separate ? values.lookup("value") : keyInput();
  }
  UnitAttr isCausal() { return config.forward.isCausal ? builder.getUnitAttr() : UnitAttr(); }
  UnitAttr nanMaskedRows() {
    return config.fullyMaskedRows == FullyMaskedRows::Nan ? builder.getUnitAttr() : UnitAttr();
  }

  const Config &config;
  OpBuilder &builder;
  func::FuncOp function;
  Location loc;
  llvm::StringMap<Value> values;
};
} // namespace

OwningOpRef<ModuleOp> buildGraph(const Config &config, MLIRContext &context) {
  context.loadDialect<mha::MhaDialect, func::FuncDialect>();
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
  Type resultType = tensorType(interfaceOutputs(config).front(), builder);

  auto function = func::FuncOp::create(builder, loc, "forward",
                                       builder.getFunctionType(argumentTypes, {resultType}));
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
  Value result = config.op == Op::Attention ? graph.attention() : graph.multiheadAttention();
  func::ReturnOp::create(builder, loc, result);
  return module;
}

} // namespace attune
