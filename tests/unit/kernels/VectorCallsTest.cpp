//===- VectorCallsTest.cpp - Calls of Halide, lane by lane, as one --------===//

#include "codegen/cpu/kernels/VectorCalls.h"
#include "llvm/AsmParser/Parser.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/Bitcode/BitcodeWriter.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/Verifier.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"
#include <gtest/gtest.h>

namespace attune::cpu::test {
namespace {

/// `%r`, a vector whose lanes from `first` on are calls with the lanes of %p and %x, the last lane
/// with lane `lastLane` of %x.
std::string laneByLane(int lanes, int lastLane, int first = 0) {
  std::string text, type = "<" + std::to_string(lanes) + " x float>", vector = "poison";
  llvm::raw_string_ostream out(text);
  for (int k = first; k < lanes; ++k) {
    const int lane = k == lanes - 1 ? lastLane : k;
    out << "%p" << k << " = extractelement " << type << " %p, i64 " << k << "\n"
        << "%x" << k << " = extractelement " << type << " %x, i64 " << lane << "\n"
        << "%c" << k << " = call float @" << scaledByPowerFunction << "(float %p" << k
        << ", float %x" << k << ")\n";
    const std::string next = k == lanes - 1 ? "%r" : "%v" + std::to_string(k);
    out << next << " = insertelement " << type << " " << vector << ", float %c" << k << ", i64 "
        << k << "\n";
    vector = next;
  }
  return text;
}

/// How many instructions the calls of a function with this body become, once no call is left.
int instructionsOf(const std::string &type, const std::string &body) {
  std::string text;
  llvm::raw_string_ostream(text) << "define " << type << " @kernel(" << type << " %p, " << type
                                 << " %x) {\n"
                                 << body << "ret " << type << " %r\n}\n"
                                 << "declare float @" << scaledByPowerFunction
                                 << "(float, float)\n";
  llvm::LLVMContext context;
  llvm::SMDiagnostic diagnostic;
  auto module = llvm::parseAssemblyString(text, diagnostic, context);
  EXPECT_TRUE(module) << diagnostic.getMessage().str() << '\n' << text;
  std::string bitcode;
  llvm::raw_string_ostream out(bitcode);
  llvm::WriteBitcodeToFile(*module, out);
  std::string replaced = llvm::cantFail(replaceVectorCalls(bitcode));
  auto result =
      llvm::cantFail(llvm::parseBitcodeFile(llvm::MemoryBufferRef(replaced, "kernel"), context));
  EXPECT_FALSE(llvm::verifyModule(*result, &llvm::errs()));
  EXPECT_EQ(result->getFunction(scaledByPowerFunction), nullptr);
  int count = 0;
  for (llvm::Instruction &instruction : llvm::instructions(*result->getFunction("kernel")))
    if (auto *call = llvm::dyn_cast<llvm::IntrinsicInst>(&instruction))
      count += call->getCalledFunction()->getName() == "llvm.x86.avx512.mask.scalef.ps.512";
  return count;
}

TEST(VectorCalls, OneInstructionForEachRegister) {
  EXPECT_EQ(instructionsOf("<16 x float>", laneByLane(16, 15)), 1);
  EXPECT_EQ(instructionsOf("<64 x float>", laneByLane(64, 63)), 4);
  EXPECT_EQ(instructionsOf("<64 x float>", laneByLane(64, 63, 48)), 1) << "other lanes are poison";
}

TEST(VectorCalls, OneForEachLaneOfAnythingElse) {
  EXPECT_EQ(instructionsOf("<16 x float>", laneByLane(16, 0)), 16) << "lane 0 twice";
  EXPECT_EQ(instructionsOf("<16 x float>", laneByLane(16, 15, 1)), 15) << "lane 0 is poison";
  EXPECT_EQ(instructionsOf("<8 x float>", laneByLane(8, 7)), 8) << "half a register";
  EXPECT_EQ(instructionsOf("float", "%r = call float @" + std::string(scaledByPowerFunction) +
                                        "(float %p, float %x)\n"),
            1);
}

TEST(VectorCalls, BrokenBitcodeIsAnError) {
  llvm::Expected<std::string> result = replaceVectorCalls("no bitcode");
  EXPECT_FALSE(result);
  llvm::consumeError(result.takeError());
}

} // namespace
} // namespace attune::cpu::test
