//===- pickle_machine.cpp - The stack machine behind a pickle ---------------------------------===//

#include "pickle_machine.h"

namespace attune::runtime {

// Bounds of the machine's memory, some tens of megabytes in all. A file of 65536 tensors fits.
constexpr size_t MaxStack = size_t{1} << 18, MaxMemo = size_t{1} << 19,
                 MaxElements = size_t{1} << 20, MaxDicts = size_t{1} << 19,
                 MaxNodes = size_t{1} << 18;

const PickleMachine::Opcode PickleMachine::Opcodes[] = {
    {0x80, &PickleMachine::protocol, 0},
    {0x95, &PickleMachine::frame, 0},
    {'.', &PickleMachine::stop, 0},
    {'(', &PickleMachine::mark, 0},
    {'N', &PickleMachine::pushKind, Value::None},
    {0x88, &PickleMachine::pushBool, 1},
    {0x89, &PickleMachine::pushBool, 0},
    {'K', &PickleMachine::unsignedNumber, 1},
    {'M', &PickleMachine::unsignedNumber, 2},
    {'J', &PickleMachine::signedNumber, 0},
    {0x8a, &PickleMachine::longNumber, 1},
    {0x8b, &PickleMachine::longNumber, 4},
    {'G', &PickleMachine::skipNumber, 8},
    {0x8c, &PickleMachine::string, 1},
    {'X', &PickleMachine::string, 4},
    {0x8d, &PickleMachine::string, 8},
    {'C', &PickleMachine::bytes, 1},
    {'B', &PickleMachine::bytes, 4},
    {0x8e, &PickleMachine::bytes, 8},
    {')', &PickleMachine::emptyTuple, 0},
    {0x85, &PickleMachine::tuple, 1},
    {0x86, &PickleMachine::tuple, 2},
    {0x87, &PickleMachine::tuple, 3},
    {'t', &PickleMachine::markedTuple, 0},
    {']', &PickleMachine::pushKind, Value::List},
    {'a', &PickleMachine::append, 0},
    {'e', &PickleMachine::appends, 0},
    {'}', &PickleMachine::emptyDict, 0},
    {'s', &PickleMachine::setItem, 0},
    {'u', &PickleMachine::setItems, 0},
    {'q', &PickleMachine::put, 1},
    {'r', &PickleMachine::put, 4},
    {0x94, &PickleMachine::memoize, 0},
    {'h', &PickleMachine::get, 1},
    {'j', &PickleMachine::get, 4},
    {'c', &PickleMachine::global, 0},
    {0x93, &PickleMachine::stackGlobal, 0},
    {'Q', &PickleMachine::persistent, 0},
    {'R', &PickleMachine::reduce, 0},
    {'b', &PickleMachine::build, 0},
};

std::array<const PickleMachine::Opcode *, 256> PickleMachine::indexOpcodes() {
  std::array<const Opcode *, 256> Index = {};
  for (const Opcode &Row : Opcodes)
    Index[Row.Code] = &Row;
  return Index;
}

void PickleMachine::run() {
  static const std::array<const Opcode *, 256> Index = indexOpcodes();
  constexpr unsigned char ProtocolCode = 0x80;
  while (!Stopped) {
    OpcodeAt = Result.Bytes.size() - Rest.size();
    auto Code = static_cast<unsigned char>(take(1)[0]);
    if ((OpcodeAt == 0) != (Code == ProtocolCode))
      refuseHere("the protocol's number must stand at the start, and only there");
    if (!Index[Code])
      refuseHere("opcode " + std::to_string(Code) + " is not used in a state_dict");
    (this->*Index[Code]->Run)(Index[Code]->Argument);
  }
  if (!Rest.empty())
    refuse("the pickle is followed by " + std::to_string(Rest.size()) + " more bytes");
}

std::string_view PickleMachine::take(uint64_t Count) {
  if (Count > Rest.size())
    refuseHere("the pickle ends too early");
  std::string_view Taken = Rest.substr(0, Count);
  Rest.remove_prefix(Count);
  return Taken;
}

std::string_view PickleMachine::takeLine() {
  constexpr size_t Longest = 256;
  size_t End = Rest.substr(0, Longest).find('\n');
  if (End == std::string_view::npos)
    refuseHere("a name does not end");
  std::string_view Line = take(End);
  take(1);
  return Line;
}

void PickleMachine::push(Value New) {
  if (Stack.size() == MaxStack)
    refuseHere("more than " + std::to_string(MaxStack) + " objects are on the stack");
  Stack.push_back(New);
}

PickleValue &PickleMachine::top() {
  if (Stack.size() == (Marks.empty() ? 0 : Marks.back()))
    refuseHere("an object is missing on the stack");
  return Stack.back();
}

PickleValue PickleMachine::pop() {
  Value Top = top();
  Stack.pop_back();
  return Top;
}

size_t PickleMachine::popMark() {
  if (Marks.empty())
    refuseHere("a mark is missing on the stack");
  size_t Height = Marks.back();
  Marks.pop_back();
  return Height;
}

void PickleMachine::require(const Value &Given, Value::Kind Kind, const char *Where) const {
  if (Given.Is != Kind)
    refuseHere(std::string(Where) + " is a " + pickleKindName(Given.Is) + ", expected a " +
               pickleKindName(Kind));
}

//===------------------------------------------------------------------------------------------===//
// Numbers, texts and the frame around them
//===------------------------------------------------------------------------------------------===//

void PickleMachine::protocol(unsigned) {
  uint64_t Number = takeCount(1);
  if (Number < 2 || Number > 5)
    refuseHere("the pickle's protocol is " + std::to_string(Number) + ", expected 2 to 5");
}

void PickleMachine::frame(unsigned) {
  if (takeCount(8) > Rest.size())
    refuseHere("a frame is longer than the pickle");
}

void PickleMachine::stop(unsigned) {
  Result.Root = pop();
  if (!Stack.empty() || !Marks.empty())
    refuseHere("objects are left over on the stack");
  Stopped = true;
}

void PickleMachine::pushKind(unsigned Kind) { push({static_cast<Value::Kind>(Kind)}); }

void PickleMachine::pushBool(unsigned Truth) { push({Value::Bool, 0, Truth}); }

void PickleMachine::unsignedNumber(unsigned Bytes) {
  push({Value::Int, 0, static_cast<int64_t>(takeCount(Bytes))});
}

void PickleMachine::signedNumber(unsigned) {
  push({Value::Int, 0, static_cast<int32_t>(takeCount(4))});
}

/// A number of any length in two's complement. Beyond 64 bits it can be no size: Other.
void PickleMachine::longNumber(unsigned LengthBytes) {
  std::string_view Digits = take(takeCount(LengthBytes));
  if (Digits.size() > 8) {
    push({Value::Other});
    return;
  }
  uint64_t Number = loadLittleEndian(Digits.data(), Digits.size());
  if (!Digits.empty() && Digits.size() < 8 && (Digits.back() & 0x80))
    Number |= ~uint64_t{0} << (8 * Digits.size());
  push({Value::Int, 0, static_cast<int64_t>(Number)});
}

void PickleMachine::skipNumber(unsigned Bytes) {
  take(Bytes);
  push({Value::Other});
}

void PickleMachine::string(unsigned LengthBytes) {
  std::string_view Text = take(takeCount(LengthBytes));
  push({Value::String, static_cast<uint32_t>(Text.size()), Text.data() - Result.Bytes.data()});
}

void PickleMachine::bytes(unsigned LengthBytes) {
  take(takeCount(LengthBytes));
  push({Value::Other});
}

//===------------------------------------------------------------------------------------------===//
// Tuples, lists and dicts
//===------------------------------------------------------------------------------------------===//

void PickleMachine::mark(unsigned) {
  if (Marks.size() == MaxStack)
    refuseHere("more than " + std::to_string(MaxStack) + " marks are on the stack");
  Marks.push_back(static_cast<uint32_t>(Stack.size()));
}

/// Replaces what the stack holds from \p Begin on by a tuple of it.
void PickleMachine::pushTuple(size_t Begin) {
  std::vector<Value> &Elements = Result.Elements;
  size_t Count = Stack.size() - Begin, First = Elements.size();
  if (Count > MaxElements - First)
    refuseHere("its tuples have more than " + std::to_string(MaxElements) + " elements");
  Elements.insert(Elements.end(), Stack.begin() + static_cast<ptrdiff_t>(Begin), Stack.end());
  Stack.resize(Begin);
  push({Value::Tuple, static_cast<uint32_t>(Count), static_cast<int64_t>(First)});
}

void PickleMachine::emptyTuple(unsigned) { push({Value::Tuple}); }

void PickleMachine::tuple(unsigned Count) {
  if (Stack.size() - (Marks.empty() ? 0 : Marks.back()) < Count)
    refuseHere("an object is missing on the stack");
  pushTuple(Stack.size() - Count);
}

void PickleMachine::markedTuple(unsigned) { pushTuple(popMark()); }

void PickleMachine::append(unsigned) {
  pop();
  require(top(), Value::List, "what is appended to");
}

void PickleMachine::appends(unsigned) {
  Stack.resize(popMark());
  require(top(), Value::List, "what is appended to");
}

void PickleMachine::emptyDict(unsigned Ordered) {
  if (Result.Dicts.size() == MaxDicts)
    refuseHere("has more than " + std::to_string(MaxDicts) + " dicts");
  push({Value::Dict, Ordered, static_cast<int64_t>(Result.Dicts.size())});
  Result.Dicts.emplace_back();
}

void PickleMachine::add(const Value &Dict, const Value &Key, const Value &Item) {
  require(Dict, Value::Dict, "what gets an item");
  if (Item.Is != Value::Dict && Item.Is != Value::Tensor)
    return;
  if (Result.Nodes.size() == MaxNodes)
    refuseHere("its dicts have more than " + std::to_string(MaxNodes) + " tensors and dicts");
  auto New = static_cast<uint32_t>(Result.Nodes.size());
  Result.Nodes.push_back({{Key, Item}, 0});
  Pickle::Chain &Chain = Result.Dicts[static_cast<size_t>(Dict.Value)];
  (Chain.First == 0 ? Chain.First : Result.Nodes[Chain.Last].Next) = New;
  Chain.Last = New;
}

void PickleMachine::setItem(unsigned) {
  Value Item = pop(), Key = pop();
  add(top(), Key, Item);
}

void PickleMachine::setItems(unsigned) {
  size_t Begin = popMark();
  if ((Stack.size() - Begin) % 2 != 0)
    refuseHere("a key has no value");
  std::vector<Value> Pairs(Stack.begin() + static_cast<ptrdiff_t>(Begin), Stack.end());
  Stack.resize(Begin);
  for (size_t I = 0; I < Pairs.size(); I += 2)
    add(top(), Pairs[I], Pairs[I + 1]);
  require(top(), Value::Dict, "what gets items");
}

//===------------------------------------------------------------------------------------------===//
// The memo
//===------------------------------------------------------------------------------------------===//

void PickleMachine::remember(uint64_t Index) {
  if (Index >= MaxMemo)
    refuseHere("the memo has more than " + std::to_string(MaxMemo) + " objects");
  Value Top = top();
  if (Index >= Memo.size())
    Memo.resize(Index + 1);
  MemoCount += Memo[Index].Is == Value::Unset;
  Memo[Index] = Top;
}

void PickleMachine::put(unsigned Bytes) { remember(takeCount(Bytes)); }

void PickleMachine::memoize(unsigned) { remember(MemoCount); }

void PickleMachine::get(unsigned Bytes) {
  uint64_t Index = takeCount(Bytes);
  if (Index >= Memo.size() || Memo[Index].Is == Value::Unset)
    refuseHere("object " + std::to_string(Index) + " of the memo does not exist");
  push(Memo[Index]);
}

} // namespace attune::runtime
