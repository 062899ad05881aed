//===- pickle.cpp - The pickle inside a PyTorch file ------------------------------------------===//

#include "pickle.h"

#include "pickle_machine.h"

namespace attune::runtime {

Pickle::Pickle(std::string_view Bytes) : Bytes(Bytes), Nodes(1) { PickleMachine(*this).run(); }

std::string_view Pickle::text(const PickleValue &String) const {
  return Bytes.substr(static_cast<size_t>(String.Value), String.Count);
}

std::span<const PickleValue> Pickle::elements(const PickleValue &Tuple) const {
  return std::span(Elements).subspan(static_cast<size_t>(Tuple.Value), Tuple.Count);
}

const char *pickleKindName(PickleValue::Kind Kind) {
  constexpr const char *Names[] = {"nothing", "plain object", "None", "bool", "number",  "text",
                                   "tuple",   "list",         "dict", "name", "storage", "tensor"};
  static_assert(sizeof(Names) / sizeof(Names[0]) == PickleValue::Tensor + 1);
  return Names[Kind];
}

} // namespace attune::runtime
