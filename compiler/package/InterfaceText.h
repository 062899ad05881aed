//===- InterfaceText.h - The interface's tensors in words -------*- C++ -*-===//
#ifndef ATTUNE_PACKAGE_INTERFACETEXT_H
#define ATTUNE_PACKAGE_INTERFACETEXT_H

#include "attune/attune.h"
#include "frontend/Interface.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

namespace attune {

/// A size in the letters of the documentation: "64", "N", "N * 8", "S + 1". N is the batch, L the
/// target length, S the source length.
std::string sizeText(const SymbolicSize &size);

/// The shape of a tensor: "(N, L, S + 1)".
std::string shapeText(const InterfaceTensor &tensor);

/// The shape of a tensor that was given: "(2, 5, 64)".
std::string shapeText(llvm::ArrayRef<int64_t> shape);

/// The element types that a tensor may have, by their names in attune.h.
llvm::ArrayRef<llvm::StringLiteral> dtypeNames(const InterfaceTensor &tensor);

/// The dtype of a tensor; bool for a mask that forbids, which may be uint8 as well.
attune_dtype interfaceDtype(const InterfaceTensor &tensor);

} // namespace attune

#endif
