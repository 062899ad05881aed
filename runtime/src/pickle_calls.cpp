//===- pickle_calls.cpp - What a pickle may name and call -------------------------------------===//
//
// A pickle can call anything that Python can import. Here nothing is imported: the names below are
// known, and what a call of each of them gives.
//
//===------------------------------------------------------------------------------------------===//

#include "pickle_machine.h"

namespace attune::runtime {
namespace {

struct PickleGlobal {
  enum Role { OrderedDict, RebuildTensor, RebuildParameter, Size, Storage };
  std::string_view Module, Name;
  Role Is;
  attune_dtype Dtype = ATTUNE_FLOAT32; ///< Of a Storage.
};

constexpr PickleGlobal Globals[] = {
    {"collections", "OrderedDict", PickleGlobal::OrderedDict},
    {"torch._utils", "_rebuild_tensor_v2", PickleGlobal::RebuildTensor},
    {"torch._utils", "_rebuild_parameter", PickleGlobal::RebuildParameter},
    {"torch", "Size", PickleGlobal::Size},
    {"torch", "FloatStorage", PickleGlobal::Storage, ATTUNE_FLOAT32},
    {"torch", "DoubleStorage", PickleGlobal::Storage, ATTUNE_FLOAT64},
    {"torch", "BFloat16Storage", PickleGlobal::Storage, ATTUNE_BFLOAT16},
    {"torch", "HalfStorage", PickleGlobal::Storage, ATTUNE_FLOAT16},
    {"torch", "BoolStorage", PickleGlobal::Storage, ATTUNE_BOOL},
    {"torch", "ByteStorage", PickleGlobal::Storage, ATTUNE_UINT8},
    {"torch", "CharStorage", PickleGlobal::Storage, ATTUNE_INT8},
    {"torch", "ShortStorage", PickleGlobal::Storage, ATTUNE_INT16},
    {"torch", "IntStorage", PickleGlobal::Storage, ATTUNE_INT32},
    {"torch", "LongStorage", PickleGlobal::Storage, ATTUNE_INT64}};

} // namespace

void PickleMachine::pushGlobal(std::string_view Module, std::string_view Name) {
  for (const PickleGlobal &Row : Globals)
    if (Row.Module == Module && Row.Name == Name) {
      push({Value::Global, 0, &Row - Globals});
      return;
    }
  refuseHere("names " + quoteText(std::string(Module) + "." + std::string(Name)) +
             ", which no state_dict needs and which is not run; save the tensors alone: "
             "torch.save(model.state_dict(), file)");
}

void PickleMachine::global(unsigned) {
  std::string_view Module = takeLine(), Name = takeLine();
  pushGlobal(Module, Name);
}

void PickleMachine::stackGlobal(unsigned) {
  Value Name = pop(), Module = pop();
  require(Name, Value::String, "a name");
  require(Module, Value::String, "a module's name");
  pushGlobal(Result.text(Module), Result.text(Name));
}

void PickleMachine::persistent(unsigned) {
  require(top(), Value::Tuple, "a persistent id");
  top().Is = Value::Storage;
}

void PickleMachine::reduce(unsigned) {
  Value Arguments = pop(), Function = pop();
  require(Arguments, Value::Tuple, "the arguments of a call");
  require(Function, Value::Global, "what is called");
  const PickleGlobal &Global = Globals[Function.Value];
  auto Expect = [&](unsigned Count) {
    if (Arguments.Count != Count)
      refuseHere(std::string(Global.Name) + " is called with " + std::to_string(Arguments.Count) +
                 " arguments, expected " + std::to_string(Count));
  };
  switch (Global.Is) {
  case PickleGlobal::OrderedDict:
    Expect(0);
    emptyDict(/*Ordered=*/1);
    return;
  case PickleGlobal::RebuildTensor:
    Expect(6); // A seventh would say that the numbers are to be negated.
    Arguments.Is = Value::Tensor;
    push(Arguments);
    return;
  case PickleGlobal::RebuildParameter:
    Expect(3);
    require(Result.elements(Arguments)[0], Value::Tensor, "a parameter's data");
    push(Result.elements(Arguments)[0]);
    return;
  case PickleGlobal::Size:
    push({Value::Other});
    return;
  case PickleGlobal::Storage:
    refuseHere("calls " + std::string(Global.Name));
  }
}

/// Sets attributes of an object, which a state_dict has (_metadata) but no tensor needs.
void PickleMachine::build(unsigned) {
  pop();
  require(top(), Value::Dict, "what gets attributes");
  if (top().Count == 0)
    refuseHere("a plain dict gets attributes");
}

bool Pickle::storageDtype(const PickleValue &Value, attune_dtype &Dtype) const {
  if (Value.Is != PickleValue::Global || Globals[Value.Value].Is != PickleGlobal::Storage)
    return false;
  Dtype = Globals[Value.Value].Dtype;
  return true;
}

} // namespace attune::runtime
