//===- HalideCommon.h - What all kernel generators share --------*- C++ -*-===//
//
// Targets, symbols, common expressions and the way from a Halide pipeline to bitcode.
//
//===----------------------------------------------------------------------===//
#ifndef ATTUNE_CODEGEN_CPU_KERNELS_HALIDECOMMON_H
#define ATTUNE_CODEGEN_CPU_KERNELS_HALIDECOMMON_H

#include "codegen/cpu/kernels/Kernel.h"
#include "codegen/cpu/kernels/KernelSymbol.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include <Halide.h>
#include <limits>

namespace attune::cpu {

/// What a generator builds: output functions and input arguments, each in the order of the C
/// function, which takes the inputs first.
struct Recipe {
  std::vector<Halide::Func> outputs;
  std::vector<Halide::Argument> inputs;
};

/// The Halide target of a kernel: no runtime, no checks, strict floating point.
Halide::Target halideTarget(const KernelTarget &target);

/// Adds bitcode to a description. Errors of Halide become llvm::Error.
llvm::Expected<Kernel> compileKernel(Kernel kernel, const KernelTarget &target,
                                     llvm::function_ref<Recipe()> build);

/// The type of elements in Halide.
Halide::Type halideType(ElementType type);

/// An input buffer with unit innermost stride and all minima 0.
Halide::ImageParam inputBuffer(const std::string &name, int rank,
                               ElementType type = ElementType::F32);

/// Makes all minima of an output 0 and its innermost stride 1.
void constrainOutput(Halide::Func &output);

/// How many vectors of so many elements a cache line holds, at least 1: one prefetch serves them.
int vectorsOfLine(int lanes, Halide::Type type);

/// Calls a function that Halide does not know and that always gives the same for the same operands:
/// a value of the type of the first.
Halide::Expr pureCall(const char *function, const std::vector<Halide::Expr> &operands);

/// A number of any element type as `type`; floats are rounded to nearest, ties to even.
Halide::Expr converted(const Halide::Expr &value, Halide::Type type);

/// `value` rounded up to a multiple of `unit`, in a form that Halide divides by `unit` again.
Halide::Expr roundedUp(const Halide::Expr &value, int unit);

/// a < b ? b : a, one instruction on x86; a NaN in `b` is ignored.
Halide::Expr maximum(const Halide::Expr &a, const Halide::Expr &b);

inline constexpr float minusInfinity = -std::numeric_limits<float>::infinity();

/// 0 in place of the -inf of a row without a visible key, so that no difference is NaN.
Halide::Expr finiteMaximum(const Halide::Expr &max);

/// Whether an element of a key padding mask hides its key: a byte other than 0, or -inf.
Halide::Expr hidesKey(const Halide::Expr &element);

/// Combines two values into one.
using Combine = llvm::function_ref<Halide::Expr(const Halide::Expr &, const Halide::Expr &)>;

/// Combines values pairwise in a fixed tree.
Halide::Expr combineTree(std::vector<Halide::Expr> values, Combine combine);

/// Reduces rows(lane, row) of `lanes` (a power of two) values to one value a row, by halves. The
/// stages are computed at loop `level` of `consumer`, all rows of that level unrolled. The result
/// is a function of (lane, row), to be read at lane 0.
Halide::Func reduceLanes(Halide::Func rows, int lanes, Combine combine, Halide::Func &consumer,
                         const Halide::Var &level);

/// Transposes tiles of `lanes` x `lanes` values, which tile(i, ...) holds flat, row by row; `which`
/// are its two further dimensions. Returns `tile` and the stages behind it, of which the last is
/// the result.
std::vector<Halide::Func> transposition(const Halide::Func &tile, int lanes, const Halide::Var &i,
                                        const std::vector<Halide::Var> &which);

/// Computes those stages at a loop, in registers.
void scheduleTransposition(std::vector<Halide::Func> &stages, int lanes, const Halide::Var &i,
                           const Halide::LoopLevel &level);

} // namespace attune::cpu

#endif
