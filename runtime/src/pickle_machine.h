//===- pickle_machine.h - The stack machine behind a pickle -----------------------------------===//

#ifndef ATTUNE_RUNTIME_PICKLE_MACHINE_H
#define ATTUNE_RUNTIME_PICKLE_MACHINE_H

#include "pickle.h"
#include "tensor_file_source.h"
#include "tensor_file_text.h"

#include <array>
#include <string>

namespace attune::runtime {

/// Runs a pickle once. Every opcode is a function of this class: pickle_machine.cpp, and for those
/// that name or call something pickle_calls.cpp.
class PickleMachine {
public:
  explicit PickleMachine(Pickle &Result) : Result(Result), Rest(Result.Bytes) {}

  void run();

private:
  using Value = PickleValue;
  /// An opcode's code; what it does with its argument: most often a number of bytes or elements.
  struct Opcode {
    unsigned char Code;
    void (PickleMachine::*Run)(unsigned Argument);
    unsigned Argument;
  };
  static const Opcode Opcodes[];
  static std::array<const Opcode *, 256> indexOpcodes();

  [[noreturn]] void refuseHere(const std::string &Problem) const {
    refuse("byte " + std::to_string(OpcodeAt) + " of the pickle: " + Problem);
  }
  std::string_view take(uint64_t Count);
  uint64_t takeCount(unsigned Bytes) { return loadLittleEndian(take(Bytes).data(), Bytes); }
  std::string_view takeLine();
  void push(Value New);
  Value pop();
  Value &top();
  size_t popMark();
  void remember(uint64_t Index);
  void add(const Value &Dict, const Value &Key, const Value &Item);
  void pushTuple(size_t Begin);
  void pushGlobal(std::string_view Module, std::string_view Name);
  void require(const Value &Given, Value::Kind Kind, const char *Where) const;

  void protocol(unsigned);
  void frame(unsigned);
  void stop(unsigned);
  void mark(unsigned);
  void pushKind(unsigned Kind);
  void pushBool(unsigned Truth);
  void unsignedNumber(unsigned Bytes);
  void signedNumber(unsigned);
  void longNumber(unsigned LengthBytes);
  void skipNumber(unsigned Bytes);
  void string(unsigned LengthBytes);
  void bytes(unsigned LengthBytes);
  void emptyTuple(unsigned);
  void tuple(unsigned Count);
  void markedTuple(unsigned);
  void append(unsigned);
  void appends(unsigned);
  void emptyDict(unsigned Ordered);
  void setItem(unsigned);
  void setItems(unsigned);
  void put(unsigned Bytes);
  void memoize(unsigned);
  void get(unsigned Bytes);
  void global(unsigned);
  void stackGlobal(unsigned);
  void persistent(unsigned);
  void reduce(unsigned);
  void build(unsigned);

  Pickle &Result;
  std::string_view Rest; ///< Of the bytes, behind what was taken.
  size_t OpcodeAt = 0;
  bool Stopped = false;
  std::vector<Value> Stack;
  std::vector<uint32_t> Marks; ///< Heights of the stack.
  std::vector<Value> Memo;
  size_t MemoCount = 0; ///< Of the values that are set.
};

} // namespace attune::runtime

#endif
