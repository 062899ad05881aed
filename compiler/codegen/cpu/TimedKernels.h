//===- TimedKernels.h - Kernels between two readings of a clock -*- C++ -*-===//
//
// A profiled module calls the clock around every kernel. A kernel whose stages belong to different
// phases is cut in two for it.
//
//===----------------------------------------------------------------------===//
#ifndef ATTUNE_CODEGEN_CPU_TIMEDKERNELS_H
#define ATTUNE_CODEGEN_CPU_TIMEDKERNELS_H

#include "codegen/cpu/AssignKernels.h"
#include "llvm/ADT/StringRef.h"

namespace attune::cpu {

/// What the time of a forward pass is spent on.
enum class WorkPhase { Projection, Packing, Masks, Scores, Softmax, Values, Finish, Other };

/// An extent at a call of a kernel: that of a buffer argument, or the value of an i32 argument,
/// rounded up to a multiple.
struct WorkExtent {
  unsigned argument = 0;
  int dimension = kValue; ///< of a buffer, outermost first
  int multiple = 1;

  static constexpr int kValue = -1;
};

/// A sum of products: factor * extent * extent ...
struct WorkTerm {
  int64_t factor = 0;
  std::vector<WorkExtent> extents;
};
using Work = std::vector<WorkTerm>;

/// A kernel that is called in place of another or of a part of it.
struct TimedKernel {
  std::string symbol;
  KernelSpec spec;
  WorkPhase phase = WorkPhase::Other;
  std::vector<unsigned> operands; ///< its arguments, as positions in those of the other
  /// Floating-point operations of products and softmax, padding of register blocks included, and
  /// bytes of operands read and written, but for accumulators, probabilities and statistics of a
  /// tile, which stay in cache. Both in terms of the other's arguments.
  Work flops, bytes;
};

/// What is called in place of a kernel, in this order.
std::vector<TimedKernel> timedKernels(const KernelSpec &spec, const KernelTarget &target);

/// i64 attune_profile_now(): any clock. void attune_profile_add(i32 index, i64 start, i64 flops,
/// i64 bytes): a kernel has run since `start`. A profiled module calls them; who loads it defines
/// them.
inline constexpr llvm::StringLiteral profileNow = "attune_profile_now";
inline constexpr llvm::StringLiteral profileAdd = "attune_profile_add";

/// All timed kernels of a module; attune_profile_add gets positions in the list.
std::vector<TimedKernel> timedKernels(const KernelSet &kernels, const KernelTarget &target);

} // namespace attune::cpu

#endif
