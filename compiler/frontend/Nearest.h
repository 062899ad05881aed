//===- Nearest.h - What a misspelt word may have meant ----------*- C++ -*-===//
#ifndef ATTUNE_COMPILER_FRONTEND_NEAREST_H
#define ATTUNE_COMPILER_FRONTEND_NEAREST_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace attune {

/// The candidate that is nearest to a misspelt word, or "" when none is near. Candidates are in
/// lower case; the case of the word does not count.
llvm::StringRef nearest(llvm::StringRef word, llvm::ArrayRef<llvm::StringRef> candidates);

} // namespace attune

#endif
