//===- PeakFlops.cpp - The machine's FMA peak -----------------------------===//
#include "PeakFlops.h"

#include "attune/attune.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/IntrinsicsX86.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/TargetParser/Triple.h"
#include <chrono>
#include <functional>
#include <thread>

using namespace llvm;

namespace attune::tool {

namespace {
constexpr const char *kFunction = "attune_peak";
constexpr int64_t kIterations = 2'000'000;
constexpr int kRuns = 6;

/// More chains than latency times throughput of any current core, and few enough for 16 registers.
constexpr int kAccumulators = 12;

/// One instruction of the loop on an accumulator, and its floating-point operations.
struct PeakInstruction {
  std::function<Value *(IRBuilder<> &, Value *accumulator, Value *factor)> create;
  double flops;
};

/// x * a + a, lane by lane.
PeakInstruction multiplyAdd(int lanes) {
  return {[](IRBuilder<> &builder, Value *accumulator, Value *factor) -> Value * {
            return builder.CreateIntrinsic(Intrinsic::fma, {accumulator->getType()},
                                           {accumulator, factor, factor});
          },
          2.0 * lanes};
}

/// vdpbf16ps: two products of bfloat16 a lane, added to the accumulator.
PeakInstruction bfloat16Dot(int lanes) {
  return {[lanes](IRBuilder<> &builder, Value *accumulator, Value *factor) -> Value * {
            auto *pairs = FixedVectorType::get(builder.getBFloatTy(), 2 * lanes);
            Value *operand = builder.CreateBitCast(factor, pairs);
            return builder.CreateIntrinsic(lanes == 16 ? Intrinsic::x86_avx512bf16_dpbf16ps_512
                                                       : Intrinsic::x86_avx512bf16_dpbf16ps_256,
                                           {}, {accumulator, operand, operand});
          },
          4.0 * lanes};
}

PeakInstruction peakInstruction(const cpu::TargetInfo &target, PeakType type) {
  const int lanes = target.kernels.vectorLanes;
  const bool hasDot = (target.requiredFeatures & ATTUNE_CPU_AVX512BF16) && lanes >= 8;
  return type == PeakType::BFloat16 && hasDot ? bfloat16Dot(lanes) : multiplyAdd(lanes);
}

/// float attune_peak(i64 n, float factor): n rounds of the instruction on every accumulator.
std::unique_ptr<Module> buildLoop(LLVMContext &context, const cpu::TargetInfo &target,
                                  const PeakInstruction &instruction) {
  auto module = std::make_unique<Module>("peak", context);
  module->setTargetTriple(Triple(target.triple));
  IRBuilder<> builder(context);
  Type *i64 = builder.getInt64Ty();
  auto *vector = FixedVectorType::get(builder.getFloatTy(), target.kernels.vectorLanes);
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
  Value *factor = builder.CreateVectorSplat(target.kernels.vectorLanes, function->getArg(1));
  builder.CreateBr(loop);
  builder.SetInsertPoint(loop);
  PHINode *counter = builder.CreatePHI(i64, 2);
  SmallVector<PHINode *> carried;
  for (int k = 0; k < kAccumulators; ++k) {
    carried.push_back(builder.CreatePHI(vector, 2));
    carried.back()->addIncoming(ConstantFP::get(vector, 1.0 + k), entry);
  }
  SmallVector<Value *> next;
  for (PHINode *value : carried) {
    next.push_back(instruction.create(builder, value, factor));
    value->addIncoming(next.back(), loop);
  }
  Value *count = builder.CreateAdd(counter, builder.getInt64(1));
  counter->addIncoming(builder.getInt64(0), entry);
  counter->addIncoming(count, loop);
  builder.CreateCondBr(builder.CreateICmpSLT(count, function->getArg(0)), loop, exit);
  builder.SetInsertPoint(exit);
  Value *sum = next.front();
  for (Value *value : ArrayRef(next).drop_front())
    sum = builder.CreateFAdd(sum, value);
  builder.CreateRet(builder.CreateExtractElement(sum, uint64_t(0)));
  return module;
}

using PeakFunction = float (*)(int64_t, float);

/// One run of all threads together, in GFLOP/s.
double timeRun(PeakFunction function, int threads, double flops, function_ref<double()> seconds) {
  const double start = seconds();
  std::vector<std::thread> helpers;
  std::atomic<float> sink = 0;
  auto work = [&] { sink = function(kIterations, 0.5f); };
  for (int k = 1; k < threads; ++k)
    helpers.emplace_back(work);
  work();
  for (std::thread &helper : helpers)
    helper.join();
  const double elapsed = seconds() - start;
  return flops * kAccumulators * kIterations * threads / elapsed / 1e9;
}
} // namespace

Expected<SmallVector<char, 0>> compilePeakLoop(const cpu::TargetInfo &target, PeakType type,
                                               cpu::MachineCodeKind kind) {
  LLVMContext context;
  auto module = buildLoop(context, target, peakInstruction(target, type));
  if (Error error = cpu::optimize(*module, target, {kFunction}))
    return error;
  return cpu::emitMachineCode(*module, target, kind);
}

double secondsOfDay() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

Expected<double> measurePeak(const cpu::TargetInfo &target, int threads, PeakType type,
                             function_ref<double()> seconds) {
  auto object = compilePeakLoop(target, type, cpu::MachineCodeKind::Object);
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
  double best = 0;
  for (int run = 0; run < kRuns; ++run)
    best = std::max(best, timeRun(function, threads, peakInstruction(target, type).flops, seconds));
  return best;
}

} // namespace attune::tool
