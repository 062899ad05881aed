//===- check.h - Argument checks of generated functions ---------------------------------------===//
//
// Everything a generated function assumes is checked here, before it runs. Each failure names the
// argument, what was found and what would be right.
//
//===------------------------------------------------------------------------------------------===//

#ifndef ATTUNE_RUNTIME_CHECK_H
#define ATTUNE_RUNTIME_CHECK_H

#include "attune/attune.h"

namespace attune::runtime {

/// Most arguments or parameters that a module may have; bounds the stack that a check needs.
constexpr int32_t MaxArguments = 32;
/// Largest batch, target and source length: generated code counts rows in 32 bits, and products of
/// two such sizes do not overflow.
constexpr int64_t LargestSize = INT32_MAX;

/// The function being called, for messages: "NAME_forward: ...".
struct CallSite {
  const char *Module;
  const char *Function;

  /// Stores "NAME_function: ARGUMENT: text" as this thread's error and returns \p Status.
  [[gnu::format(printf, 4, 5)]] attune_status fail(attune_status Status, const char *Argument,
                                                   const char *Format, ...) const;
};

/// The sizes that the arguments have bound so far.
struct SymbolTable {
  attune_call_sizes Sizes = {};
  const char *BoundBy[ATTUNE_SYMBOLS] = {};
};

/// A range of memory that a call uses.
struct MemoryRange {
  const char *Name;
  uintptr_t Begin;
  uintptr_t End;
  bool Written;
};

/// Replaces \p Module by the first one of its list of fallbacks that this CPU can run, and checks
/// the descriptors on the way: version and counts.
attune_status selectModule(const attune_module *&Module, const CallSite &Site);

/// Checks a tensor against its specification, binds symbols, and makes the strides of dimensions of
/// size 0 or 1 regular: generated code may rely on even rows whatever the application put there.
attune_status checkTensor(const CallSite &Site, const attune_argument_spec &Spec,
                          attune_tensor &Tensor, SymbolTable &Symbols);

/// Checks \p Tensor's strides (its sizes are known to be right) and makes them regular.
attune_status checkStrides(const CallSite &Site, const attune_argument_spec &Spec,
                           attune_tensor &Tensor);

/// Checks pointer, alignment and extent of a tensor with checked strides, and gives its range.
attune_status checkData(const CallSite &Site, const attune_argument_spec &Spec,
                        const attune_tensor &Tensor, MemoryRange &Range);

/// Checks pointer, 64-byte alignment and size of a buffer, and gives the range of its first
/// \p Needed bytes. A buffer of which nothing is needed may be null.
attune_status checkBuffer(const CallSite &Site, const char *Name, const void *Data, size_t Size,
                          size_t Needed, bool Written, MemoryRange &Range);

/// Refuses ranges that overlap another one that is written.
attune_status checkOverlap(const CallSite &Site, const MemoryRange *Ranges, int32_t Count);

/// Checks the header of packed parameters.
attune_status checkPackedHeader(const CallSite &Site, const attune_module &Module,
                                const attune_packed_header &Header);

} // namespace attune::runtime

#endif
