//===- pickle.h - The pickle inside a PyTorch file --------------------------------------------===//

#ifndef ATTUNE_RUNTIME_PICKLE_H
#define ATTUNE_RUNTIME_PICKLE_H

#include "attune/attune.h"

#include <span>
#include <string_view>
#include <vector>

namespace attune::runtime {

/// A Python object. Only what leads to tensors is kept: lists are empty, and dicts hold nothing but
/// tensors and dicts.
struct PickleValue {
  enum Kind : uint32_t {
    Unset, ///< No object.
    Other, ///< Anything without interest: a float, bytes, a torch.Size ...
    None,
    Bool,
    Int,
    String,
    Tuple,
    List,
    Dict,
    Global,
    Storage, ///< A tuple that says which one.
    Tensor   ///< The tuple of arguments that it is rebuilt from.
  };
  Kind Is = Unset;
  uint32_t Count = 0; ///< Of characters or elements; of a Dict 1 if it is an OrderedDict.
  int64_t Value = 0;  ///< The number, or where the characters, elements or entries are.
};

/// One entry of a dict.
struct PickleItem {
  PickleValue Key;
  PickleValue Value;
};

/// Runs a pickle of protocol 2 to 5 on a machine that knows no code: the few functions that a
/// state_dict needs are opcodes of this machine, any other name is refused. Stack, memo and
/// everything else is bounded.
class Pickle {
public:
  /// \p Bytes must outlive the pickle. Throws a FileError.
  explicit Pickle(std::string_view Bytes);

  /// The object that the pickle describes.
  const PickleValue &root() const { return Root; }
  /// The characters of a String; not checked to be UTF-8.
  std::string_view text(const PickleValue &String) const;
  /// The elements of a Tuple, Storage or Tensor.
  std::span<const PickleValue> elements(const PickleValue &Tuple) const;
  /// Calls \p Body with the entries of a Dict that are tensors or dicts, in their order.
  template <typename Function> void forEachItem(const PickleValue &Dict, Function Body) const {
    for (uint32_t I = Dicts[static_cast<size_t>(Dict.Value)].First; I != 0; I = Nodes[I].Next)
      Body(Nodes[I].Item);
  }
  /// Whether a value is the name of a type of storage, and of which elements.
  bool storageDtype(const PickleValue &Value, attune_dtype &Dtype) const;

private:
  friend class PickleMachine;

  struct Node {
    PickleItem Item;
    uint32_t Next; ///< The next item of the same dict; 0 for none.
  };
  struct Chain {
    uint32_t First = 0, Last = 0; ///< In Nodes; 0 for none.
  };

  std::string_view Bytes;
  PickleValue Root;
  std::vector<PickleValue> Elements; ///< Of all tuples.
  std::vector<Node> Nodes;           ///< Of all dicts; the first is unused.
  std::vector<Chain> Dicts;
};

/// What a kind of object is called in messages.
const char *pickleKindName(PickleValue::Kind Kind);

} // namespace attune::runtime

#endif
