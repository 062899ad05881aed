//===- ScheduleAttribute.cpp - The schedule as a module attribute ---------===//
#include "dialect/ScheduleAttribute.h"

#include "mlir/IR/Builders.h"

using namespace mlir;

namespace attune::mha {

namespace {
constexpr StringLiteral kSchedule = "mha.schedule";
constexpr StringLiteral kCpu = "mha.cpu";

/// Visits every knob that shapes the IR, under the name it has in schedule files.
template <typename Schedule, typename Visit> void visitSchedule(Schedule &schedule, Visit visit) {
  visit("query_tile", schedule.queryTile);
  visit("kv_tile", schedule.kvTile);
  visit("scores_rows", schedule.scores.rows);
  visit("scores_vectors", schedule.scores.vectors);
  visit("values_rows", schedule.values.rows);
  visit("values_vectors", schedule.values.vectors);
  visit("projection_block_rows", schedule.projection.rows);
  visit("projection_block_vectors", schedule.projection.vectors);
  visit("projection_rows", schedule.projectionRows);
  visit("projection_depth", schedule.projectionDepth);
  visit("weight_panel", schedule.weightPanel);
  visit("exp2_degree", schedule.exp2Degree);
  visit("grain", schedule.grain);
  visit("heads_per_worker", schedule.headsPerWorker);
  visit("few_rows", schedule.fewRows);
  visit("split_keys", schedule.splitKeys);
}

template <typename Cpu, typename Visit> void visitCpu(Cpu &cpu, Visit visit) {
  visit("vector_lanes", cpu.vectorLanes);
  visit("vector_registers", cpu.vectorRegisters);
}

LogicalResult readInteger(ModuleOp module, StringRef attribute, StringRef key, int &value) {
  auto dictionary = module->getAttrOfType<DictionaryAttr>(attribute);
  auto entry = dictionary ? dictionary.getAs<IntegerAttr>(key) : IntegerAttr();
  if (!entry)
    return module.emitError() << "module attribute " << attribute << " needs an integer '" << key
                              << "'";
  value = static_cast<int>(entry.getInt());
  return success();
}
constexpr StringLiteral kPairProducts = "pair_products";
/// By PairProducts; the first is that of an absent attribute.
constexpr StringLiteral kPairProductsNames[] = {"none", "vectors", "tiles"};

LogicalResult readPairProducts(ModuleOp module, PairProducts &products) {
  products = PairProducts::None;
  Attribute entry = module->getAttrOfType<DictionaryAttr>(kCpu).get(kPairProducts);
  if (!entry)
    return success();
  auto name = dyn_cast<StringAttr>(entry);
  for (auto [position, known] : llvm::enumerate(kPairProductsNames))
    if (name && name == known) {
      products = static_cast<PairProducts>(position);
      return success();
    }
  return module.emitError() << "mha.cpu: pair_products must be \"none\", \"vectors\" or \"tiles\"";
}
} // namespace

void setSchedule(ModuleOp module, const CpuSchedule &schedule, const CpuTraits &cpu) {
  Builder builder(module.getContext());
  SmallVector<NamedAttribute> knobs, traits;
  visitSchedule(schedule, [&](StringRef key, int value) {
    knobs.push_back(builder.getNamedAttr(key, builder.getI64IntegerAttr(value)));
  });
  knobs.push_back(builder.getNamedAttr(
      "pack_value",
      builder.getStringAttr(schedule.packValue == PackValue::AsIs ? "as_is" : "per_head")));
  visitCpu(cpu, [&](StringRef key, int value) {
    traits.push_back(builder.getNamedAttr(key, builder.getI64IntegerAttr(value)));
  });
  if (cpu.pairProducts != PairProducts::None)
    traits.push_back(builder.getNamedAttr(
        kPairProducts,
        builder.getStringAttr(kPairProductsNames[static_cast<int>(cpu.pairProducts)])));
  module->setAttr(kSchedule, builder.getDictionaryAttr(knobs));
  module->setAttr(kCpu, builder.getDictionaryAttr(traits));
}

LogicalResult getSchedule(ModuleOp module, CpuSchedule &schedule, CpuTraits &cpu) {
  LogicalResult result = success();
  visitSchedule(schedule, [&](StringRef key, int &value) {
    if (succeeded(result))
      result = readInteger(module, kSchedule, key, value);
  });
  visitCpu(cpu, [&](StringRef key, int &value) {
    if (succeeded(result))
      result = readInteger(module, kCpu, key, value);
  });
  if (failed(result) || failed(readPairProducts(module, cpu.pairProducts)))
    return failure();
  auto pack = module->getAttrOfType<DictionaryAttr>(kSchedule).getAs<StringAttr>("pack_value");
  if (!pack || (pack != "as_is" && pack != "per_head"))
    return module.emitError() << "mha.schedule needs pack_value \"as_is\" or \"per_head\"";
  schedule.packValue = pack == "as_is" ? PackValue::AsIs : PackValue::PerHead;
  return success();
}

} // namespace attune::mha
