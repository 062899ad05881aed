//===- Mha.h - The mha dialect ----------------------------------*- C++ -*-===//
#ifndef ATTUNE_DIALECT_MHA_H
#define ATTUNE_DIALECT_MHA_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialect/MhaDialect.h.inc"
#include "dialect/MhaEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialect/MhaAttributes.h.inc"

#define GET_TYPEDEF_CLASSES
#include "dialect/MhaTypes.h.inc"

#define GET_OP_CLASSES
#include "dialect/MhaOps.h.inc"

namespace attune::mha {

/// Whether a memref or tensor holds pairs of bfloat16, an i32 each.
inline bool holdsPairs(mlir::Type type) {
  return mlir::cast<mlir::ShapedType>(type).getElementType().isInteger(32);
}

} // namespace attune::mha

#endif
