//===- PeakFlops.cpp - The machine's FMA peak -----------------------------===//
#include "PeakFlops.h"

#include "attune/attune.h"
#include "llvm/ADT/bit.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/IntrinsicsX86.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Triple.h"
#include <array>
#include <chrono>
#include <functional>
#include <thread>

using namespace llvm;

namespace attune::tool {

namespace {
constexpr const char *kFunction = "attune_peak";
constexpr int kRuns = 6;

/// The two operands of a multiplication.
using Operands = std::array<Value *, 2>;

/// A loop of one instruction on several accumulators.
struct PeakLoop {
  std::function<Value *(IRBuilder<> &, int number)> start; ///< an accumulator, in front of the loop
  std::function<Operands(IRBuilder<> &, Value *factor)> operands;
  std::function<Value *(IRBuilder<> &, Value *accumulator, Operands operands)> step;
  std::function<Value *(IRBuilder<> &, ArrayRef<Value *>)> result; ///< a float of all accumulators
  int accumulators;
  double flops; ///< of a step
  int64_t iterations;
};

Value *sumOfFirstLanes(IRBuilder<> &builder, ArrayRef<Value *> accumulators) {
  Value *sum = accumulators.front();
  for (Value *value : accumulators.drop_front())
    sum = builder.CreateFAdd(sum, value);
  return builder.CreateExtractElement(sum, uint64_t(0));
}

/// x * a + a, lane by lane. More chains than latency times throughput of any current core, and few
/// enough for 16 registers.
PeakLoop multiplyAdd(int lanes) {
  auto start = [lanes](IRBuilder<> &builder, int number) -> Value * {
    return ConstantFP::get(FixedVectorType::get(builder.getFloatTy(), lanes), 1.0 + number);
  };
  auto operands = [lanes](IRBuilder<> &builder, Value *factor) {
    Value *vector = builder.CreateVectorSplat(lanes, factor);
    return Operands{vector, vector};
  };
  auto step = [](IRBuilder<> &builder, Value *accumulator, Operands factors) -> Value * {
    return builder.CreateIntrinsic(Intrinsic::fma, {accumulator->getType()},
                                   {accumulator, factors[0], factors[1]});
  };
  return {start, operands, step, sumOfFirstLanes, 12, 2.0 * lanes, 2'000'000};
}

/// vdpbf16ps: two products of bfloat16 a lane, added to the accumulator.
PeakLoop bfloat16Dot(int lanes) {
  PeakLoop loop = multiplyAdd(lanes);
  loop.flops *= 2;
  loop.step = [lanes](IRBuilder<> &builder, Value *accumulator, Operands factors) -> Value * {
    Value *pairs =
        builder.CreateBitCast(factors[0], FixedVectorType::get(builder.getBFloatTy(), 2 * lanes));
    return builder.CreateIntrinsic(Intrinsic::x86_avx512bf16_dpbf16ps_512, {},
                                   {accumulator, pairs, pairs});
  };
  return loop;
}

/// tdpbf16ps: 16 x 16 sums of 32 products. The tile unit slows down with numbers that are not zero.
PeakLoop tileDot() {
  const auto whole = [](IRBuilder<> &builder) {
    return SmallVector<Value *>{builder.getInt16(16), builder.getInt16(64)};
  };
  auto start = [whole](IRBuilder<> &builder, int) -> Value * {
    return builder.CreateIntrinsic(Intrinsic::x86_tilezero_internal, {}, whole(builder));
  };
  // Each from memory of its own: the instruction refuses one register for both.
  auto operands = [whole](IRBuilder<> &builder, Value *factor) {
    auto *row = FixedVectorType::get(builder.getFloatTy(), 16);
    Operands tiles;
    for (Value *&tile : tiles) {
      Value *memory = builder.CreateAlloca(row);
      builder.CreateStore(builder.CreateVectorSplat(16, factor), memory);
      SmallVector<Value *> place = whole(builder);
      place.append({memory, builder.getInt64(0)}); // the same row, 16 times
      tile = builder.CreateIntrinsic(Intrinsic::x86_tileloadd64_internal, {}, place);
    }
    return tiles;
  };
  auto step = [](IRBuilder<> &builder, Value *accumulator, Operands tiles) -> Value * {
    Value *bytes = builder.getInt16(64);
    return builder.CreateIntrinsic(
        Intrinsic::x86_tdpbf16ps_internal, {},
        {builder.getInt16(16), bytes, bytes, accumulator, tiles[0], tiles[1]});
  };
  auto result = [whole](IRBuilder<> &builder, ArrayRef<Value *> accumulators) -> Value * {
    Value *memory = builder.CreateAlloca(ArrayType::get(builder.getFloatTy(), 256));
    for (Value *accumulator : accumulators) {
      SmallVector<Value *> operands = whole(builder);
      operands.append({memory, builder.getInt64(64), accumulator});
      builder.CreateIntrinsic(Intrinsic::x86_tilestored64_internal, {}, operands);
    }
    return builder.CreateLoad(builder.getFloatTy(), memory);
  };
  return {start, operands, step, result, 4, 2.0 * 16 * 16 * 32, 50'000};
}

PeakLoop peakLoop(const cpu::TargetInfo &target) {
  switch (target.kernels.pairProducts) {
  case PairProducts::Tiles:
    return tileDot();
  case PairProducts::Vectors:
    return bfloat16Dot(target.kernels.vectorLanes);
  case PairProducts::None:
    break;
  }
  return multiplyAdd(target.kernels.vectorLanes);
}

/// float attune_peak(i64 n, float factor): n rounds of the instruction on every accumulator.
std::unique_ptr<Module> buildLoop(LLVMContext &context, const cpu::TargetInfo &target,
                                  const PeakLoop &peak) {
  auto module = std::make_unique<Module>("peak", context);
  module->setTargetTriple(Triple(target.triple));
  IRBuilder<> builder(context);
  Type *i64 = builder.getInt64Ty();
  auto *function =
      Function::Create(FunctionType::get(builder.getFloatTy(), {i64, builder.getFloatTy()}, false),
                       GlobalValue::ExternalLinkage, kFunction, *module);
  function->addFnAttr("target-cpu", target.cpu);
  if (!target.features.empty())
    function->addFnAttr("target-features", target.features);
  function->addFnAttr("prefer-vector-width", std::to_string(target.kernels.vectorLanes * 32));
  auto *entry = BasicBlock::Create(context, "entry", function);
  auto *loop = BasicBlock::Create(context, "loop", function);
  auto *exit = BasicBlock::Create(context, "exit", function);
  builder.SetInsertPoint(entry);
  const Operands operands = peak.operands(builder, function->getArg(1));
  SmallVector<Value *> starts;
  for (int k = 0; k < peak.accumulators; ++k)
    starts.push_back(peak.start(builder, k));
  builder.CreateBr(loop);
  builder.SetInsertPoint(loop);
  PHINode *counter = builder.CreatePHI(i64, 2);
  SmallVector<PHINode *> carried;
  for (Value *start : starts) {
    carried.push_back(builder.CreatePHI(start->getType(), 2));
    carried.back()->addIncoming(start, entry);
  }
  SmallVector<Value *> next;
  for (PHINode *value : carried) {
    next.push_back(peak.step(builder, value, operands));
    value->addIncoming(next.back(), loop);
  }
  Value *count = builder.CreateAdd(counter, builder.getInt64(1));
  counter->addIncoming(builder.getInt64(0), entry);
  counter->addIncoming(count, loop);
  builder.CreateCondBr(builder.CreateICmpSLT(count, function->getArg(0)), loop, exit);
  builder.SetInsertPoint(exit);
  builder.CreateRet(peak.result(builder, next));
  return module;
}

using PeakFunction = float (*)(int64_t, float);

/// One run of all threads together, in GFLOP/s.
double timeRun(PeakFunction function, const PeakLoop &peak, int threads,
               function_ref<double()> seconds) {
  const double start = seconds();
  std::vector<std::thread> helpers;
  std::atomic<float> sink = 0;
  // As a pair of bfloat16 two numbers that are not zero.
  const auto factor = llvm::bit_cast<float>(0x3f013f01u);
  auto work = [&] { sink = function(peak.iterations, factor); };
  for (int k = 1; k < threads; ++k)
    helpers.emplace_back(work);
  work();
  for (std::thread &helper : helpers)
    helper.join();
  const double elapsed = seconds() - start;
  return peak.flops * peak.accumulators * double(peak.iterations) * threads / elapsed / 1e9;
}
} // namespace

Expected<SmallVector<char, 0>> compilePeakLoop(const cpu::TargetInfo &target,
                                               cpu::MachineCodeKind kind) {
  LLVMContext context;
  auto module = buildLoop(context, target, peakLoop(target));
  if (Error error = cpu::optimize(*module, target, {kFunction}))
    return error;
  return cpu::emitMachineCode(*module, target, kind);
}

double secondsOfDay() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Expected<double> measurePeak(const cpu::TargetInfo &target, int threads,
                             function_ref<double()> seconds) {
  auto object = compilePeakLoop(target, cpu::MachineCodeKind::Object);
  if (!object)
    return object.takeError();
  auto jit = orc::LLJITBuilder().create();
  if (!jit)
    return jit.takeError();
  StringRef bytes(object->data(), object->size());
  if (Error error = (*jit)->addObjectFile(MemoryBuffer::getMemBufferCopy(bytes, "peak")))
    return error;
  auto address = (*jit)->lookup(kFunction);
  if (!address)
    return address.takeError();
  auto function = address->toPtr<PeakFunction>();
  const PeakLoop peak = peakLoop(target);
  double best = 0;
  for (int run = 0; run < kRuns; ++run)
    best = std::max(best, timeRun(function, peak, threads, seconds));
  return best;
}

} // namespace attune::tool
