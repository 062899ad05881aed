//===- VectorCalls.cpp - Instructions that Halide has no word for ---------===//

#include "codegen/cpu/kernels/VectorCalls.h"
#include "codegen/cpu/kernels/LlvmExp2.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/PatternMatch.h"
#include "llvm/Support/MemoryBufferRef.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Transforms/Utils/Local.h"

using namespace llvm;
using namespace llvm::PatternMatch;

namespace attune::cpu {

namespace {
struct VectorFunction {
  const char *name;
  Value *(*make)(IRBuilder<> &ir, ArrayRef<Value *> operands);
};

constexpr VectorFunction table[] = {
    {fractionAboveFunction,
     [](IRBuilder<> &ir, ArrayRef<Value *> v) { return fractionAbove(ir, v[0]); }},
    {scaledByPowerFunction,
     [](IRBuilder<> &ir, ArrayRef<Value *> v) { return scaledByPower(ir, v[0], v[1]); }},
};

constexpr uint64_t registerLanes = 16;

/// The calls of `function` that make the lanes of a chain of inserts, null for a lane of no value;
/// none if a lane is made otherwise.
SmallVector<CallInst *> callsByLane(InsertElementInst *end, Function &function) {
  SmallVector<CallInst *> calls(cast<FixedVectorType>(end->getType())->getNumElements());
  Value *rest = end, *result = nullptr;
  uint64_t lane = 0;
  while (match(rest, m_InsertElt(m_Value(rest), m_Value(result), m_ConstantInt(lane)))) {
    auto *call = dyn_cast<CallInst>(result);
    if (!call || call->getCalledFunction() != &function)
      return {};
    if (!calls[lane]) // a later insert hides an earlier one
      calls[lane] = call;
  }
  return isa<UndefValue>(rest) ? calls : SmallVector<CallInst *>();
}

/// The register whose lanes are operand `position` of these calls; null if they are anything else.
Value *registerOperand(IRBuilder<> &ir, ArrayRef<CallInst *> calls, unsigned position) {
  Value *whole = nullptr;
  uint64_t first = 0;
  for (auto [lane, call] : enumerate(calls)) {
    Value *vector = nullptr;
    uint64_t from = 0;
    if (!call ||
        !match(call->getArgOperand(position), m_ExtractElt(m_Value(vector), m_ConstantInt(from))))
      return nullptr;
    if (lane == 0) {
      whole = vector;
      first = from;
    }
    if (vector != whole || from != first + lane)
      return nullptr;
  }
  auto *type = cast<FixedVectorType>(whole->getType());
  if (first % registerLanes != 0 || type->getNumElements() % registerLanes != 0)
    return nullptr;
  return ir.CreateExtractVector(FixedVectorType::get(type->getElementType(), registerLanes), whole,
                                first);
}

/// What the calls make, a register at a time; null if some are not the lanes of one.
Value *vectorOfCalls(IRBuilder<> &ir, ArrayRef<CallInst *> calls, const VectorFunction &known,
                     Type *type) {
  if (calls.empty() || calls.size() % registerLanes != 0)
    return nullptr;
  Value *vector = PoisonValue::get(type);
  for (uint64_t lane = 0; lane < calls.size(); lane += registerLanes) {
    ArrayRef<CallInst *> part = calls.slice(lane, registerLanes);
    if (all_of(part, [](CallInst *call) { return !call; }))
      continue;
    SmallVector<Value *> operands;
    for (unsigned k = 0; part[0] && k < part[0]->arg_size(); ++k)
      operands.push_back(registerOperand(ir, part, k));
    if (operands.empty() || is_contained(operands, nullptr))
      return nullptr;
    vector = ir.CreateInsertVector(type, vector, known.make(ir, operands), lane);
  }
  return vector;
}

bool extendsChain(const Use &use) {
  return isa<InsertElementInst>(use.getUser()) && use.getOperandNo() == 0;
}

/// Inserts of a result of the function that are used as vectors, not only for further inserts.
SmallVector<InsertElementInst *> vectorsOf(Function &function) {
  SmallVector<InsertElementInst *> ends;
  for (User *call : function.users())
    for (User *user : call->users())
      if (auto *insert = dyn_cast<InsertElementInst>(user);
          insert && !all_of(insert->uses(), extendsChain))
        ends.push_back(insert);
  return ends;
}

void replaceCalls(Function &function, const VectorFunction &known) {
  function.setWillReturn();
  function.setDoesNotThrow();
  function.setDoesNotAccessMemory();
  SmallVector<WeakTrackingVH> replaced;
  for (InsertElementInst *end : vectorsOf(function)) {
    IRBuilder<> ir(end);
    Value *vector = vectorOfCalls(ir, callsByLane(end, function), known, end->getType());
    if (!vector)
      continue;
    end->replaceUsesWithIf(vector, [](Use &use) { return !extendsChain(use); });
    replaced.push_back(end);
  }
  RecursivelyDeleteTriviallyDeadInstructionsPermissive(replaced);
  for (User *user : make_early_inc_range(function.users())) {
    auto *call = cast<CallInst>(user);
    IRBuilder<> ir(call);
    SmallVector<Value *> operands;
    for (Value *operand : call->args())
      operands.push_back(ir.CreateVectorSplat(registerLanes, operand));
    call->replaceAllUsesWith(ir.CreateExtractElement(known.make(ir, operands), uint64_t(0)));
    call->eraseFromParent();
  }
  function.eraseFromParent();
}
} // namespace

Expected<std::string> replaceVectorCalls(StringRef bitcode) {
  LLVMContext context;
  // Without bodies, which most kernels need not have read.
  Expected<std::unique_ptr<Module>> module =
      getLazyBitcodeModule(MemoryBufferRef(bitcode, "kernel"), context);
  if (!module)
    return module.takeError();
  if (none_of(table, [&](const auto &known) { return (*module)->getFunction(known.name); }))
    return bitcode.str();
  if (Error error = (*module)->materializeAll())
    return std::move(error);
  for (const VectorFunction &known : table)
    if (Function *function = (*module)->getFunction(known.name))
      replaceCalls(*function, known);
  std::string result;
  raw_string_ostream out(result);
  WriteBitcodeToFile(**module, out);
  return result;
}

} // namespace attune::cpu
