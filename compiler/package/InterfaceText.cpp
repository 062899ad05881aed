//===- InterfaceText.cpp - The interface's tensors in words ---------------===//
#include "package/InterfaceText.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace llvm;

namespace attune {

std::string sizeText(const SymbolicSize &size) {
  if (size.symbol == SizeSymbol::Fixed)
    return std::to_string(size.factor);
  static constexpr StringLiteral symbols[] = {"", "N", "L", "S"};
  std::string text = symbols[static_cast<int>(size.symbol)].str();
  if (size.factor != 1)
    text += " * " + std::to_string(size.factor);
  if (size.addend != 0)
    text += " + " + std::to_string(size.addend);
  return text;
}

std::string shapeText(const InterfaceTensor &tensor) {
  return "(" + join(map_range(tensor.sizes, sizeText), ", ") + ")";
}

std::string shapeText(ArrayRef<int64_t> shape) {
  auto text = [](int64_t size) { return std::to_string(size); };
  return "(" + join(map_range(shape, text), ", ") + ")";
}

ArrayRef<StringLiteral> dtypeNames(const InterfaceTensor &tensor) {
  static constexpr StringLiteral masks[] = {"bool", "uint8"},
                                 floats[] = {"float32", "bfloat16", "float16"};
  if (tensor.type == InterfaceType::Mask)
    return masks;
  return ArrayRef(floats).slice(static_cast<size_t>(tensor.dtype), 1);
}

attune_dtype interfaceDtype(const InterfaceTensor &tensor) {
  constexpr attune_dtype floats[] = {ATTUNE_FLOAT32, ATTUNE_BFLOAT16, ATTUNE_FLOAT16};
  return tensor.type == InterfaceType::Mask ? ATTUNE_BOOL
                                            : floats[static_cast<size_t>(tensor.dtype)];
}

} // namespace attune
