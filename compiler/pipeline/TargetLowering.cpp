//===- TargetLowering.cpp - One configuration for one target --------------===//
#include "pipeline/TargetLowering.h"

#include "codegen/cpu/MachineCode.h"
#include "dialect/Mha.h"
#include "dialect/ScheduleAttribute.h"
#include "frontend/BuildGraph.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "pipeline/Pipeline.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using mlir::func::FuncOp;

namespace attune {

TargetLowering::TargetLowering(const Config &config, const CompiledVariant &variant)
    : variant(variant), config(config), context(mlir::MLIRContext::Threading::DISABLED) {
  loadDialects(context);
  module = buildGraph(config, context);
  mha::setSchedule(*module, variant.schedule, variant.target.traits);
  (*module)->setAttr("mha.target", mlir::StringAttr::get(&context, variant.target.name));
}

void TargetLowering::startAppendedAt(int64_t offset) {
  mlir::Builder builder(&context);
  (*module)->setAttr("mha.appended_offset", builder.getI64IntegerAttr(offset));
}

Error TargetLowering::runPasses(Phase phase) {
  if (Error error = runPhase(*module, phase, kernels))
    return error;
  if (phase != Phase::Tiles)
    return Error::success();
  // The packed block is one static memref argument of the tile functions.
  if (auto pack = module->lookupSymbol<FuncOp>("pack"))
    packed = mlir::cast<mlir::MemRefType>(pack.getArgumentTypes().back()).getNumElements();
  return Error::success();
}

/// Which floats of the packed block are pairs of bfloat16: the elements of views of it as such.
static BitVector pairsOfBlock(FuncOp pack, int64_t packed) {
  BitVector pairs(packed);
  pack.walk([&](mlir::memref::ReinterpretCastOp view) {
    if (!view.getSource().getDefiningOp<mha::AsPairsOp>())
      return;
    const int64_t first = view.getStaticOffsets().front();
    pairs.set(first, first + view.getType().getNumElements());
  });
  return pairs;
}

Error TargetLowering::packInto(ArrayRef<mha::Array> parameters, std::vector<float> &block) const {
  auto pack = module.get().lookupSymbol<FuncOp>("pack");
  if (!pack)
    return Error::success();
  std::vector<std::variant<mha::Array, int64_t>> arguments(parameters.begin(), parameters.end());
  // What pack does not write keeps what other targets wrote there.
  mha::Array written = mha::Array::filled({packed});
  const BitVector pairs = pairsOfBlock(pack, packed);
  for (auto [k, element] : enumerate(*written.storage))
    element = pairs[k] ? bit_cast<uint32_t>(block[k]) : double(block[k]);
  arguments.push_back(written);
  if (Error error = mha::interpretTiles(pack, arguments))
    return error;
  for (auto [k, element] : enumerate(*written.storage))
    block[k] = pairs[k] ? bit_cast<float>(static_cast<uint32_t>(element)) : float(element);
  return Error::success();
}

Expected<std::unique_ptr<Module>> TargetLowering::buildLlvm(const DescriptorFacts &facts,
                                                            bool isProfiled,
                                                            cpu::KernelCache *cache,
                                                            LLVMContext &llvmContext) {
  cpu::KernelSet parts;
  if (isProfiled)
    for (const cpu::TimedKernel &part : cpu::timedKernels(kernels, variant.target.kernels))
      parts.emplace(part.symbol, part.spec);
  Expected<std::vector<cpu::Kernel>> generated =
      cpu::generateKernels(isProfiled ? parts : kernels, variant.target.kernels, cache);
  if (!generated)
    return generated.takeError();
  auto built = cpu::buildLlvmModule(*module, *generated, isProfiled ? &kernels : nullptr,
                                    variant.target, llvmContext);
  if (!built)
    return built;
  (*built)->setModuleIdentifier(config.name);
  auto exported = addDescriptor(**built, config, facts);
  if (Error error = cpu::optimize(**built, variant.target, exported))
    return std::move(error);
  return built;
}

std::string TargetLowering::text() const {
  std::string text;
  raw_string_ostream stream(text);
  module.get()->print(stream);
  return text;
}

} // namespace attune
