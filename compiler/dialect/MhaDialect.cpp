//===- MhaDialect.cpp - Dialect, types and attributes ---------------------===//
#include "dialect/Mha.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

#include "dialect/MhaDialect.cpp.inc"
#include "dialect/MhaEnums.cpp.inc"
#define GET_ATTRDEF_CLASSES
#include "dialect/MhaAttributes.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "dialect/MhaTypes.cpp.inc"

using namespace mlir;

namespace attune::mha {

void MhaDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialect/MhaAttributes.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialect/MhaTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialect/MhaOps.cpp.inc"
      >();
}

/// `<` rows `x` columns `x` element (`,` `panel`)? `>`
Type TileType::parse(AsmParser &parser) {
  SmallVector<int64_t> shape;
  Type element;
  if (parser.parseLess() || parser.parseDimensionList(shape, /*allowDynamic=*/false) ||
      parser.parseType(element))
    return {};
  if (shape.size() != 2) {
    parser.emitError(parser.getCurrentLocation(), "a tile has two dimensions, found ")
        << shape.size();
    return {};
  }
  bool panel = false;
  if (succeeded(parser.parseOptionalComma())) {
    if (parser.parseKeyword("panel"))
      return {};
    panel = true;
  }
  if (parser.parseGreater())
    return {};
  return get(parser.getContext(), shape[0], shape[1], element, panel);
}

Type TileType::getRegionElementType() const {
  return isa<FloatType>(getElementType()) ? Type(Float32Type::get(getContext())) : getElementType();
}

void TileType::print(AsmPrinter &printer) const {
  printer << "<" << getRows() << "x" << getColumns() << "x" << getElementType();
  if (getPanel())
    printer << ", panel";
  printer << ">";
}

} // namespace attune::mha
