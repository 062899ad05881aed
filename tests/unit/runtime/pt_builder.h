// Builds PyTorch files piece by piece: pickles, and the archives around them.
#ifndef ATTUNE_TESTS_PT_BUILDER_H
#define ATTUNE_TESTS_PT_BUILDER_H

#include "tensor_file_helpers.h"

namespace attune::test::pt {

inline std::string text(const std::string &Text) { return "X" + little(Text.size(), 4) + Text; }

/// A number in the longest form, which can hold any.
inline std::string number(int64_t Value) {
  return "\x8a\x08" + little(static_cast<uint64_t>(Value), 8);
}

inline std::string global(const std::string &Module, const std::string &Name) {
  return "c" + Module + "\n" + Name + "\n";
}

inline std::string tuple(const std::vector<int64_t> &Numbers) {
  std::string Code = "(";
  for (int64_t Number : Numbers)
    Code += number(Number);
  return Code + "t";
}

inline const std::string OrderedDict = global("collections", "OrderedDict") + ")R";

/// A persistent id: what names a storage.
inline std::string storage(const std::string &Key, int64_t Count,
                           const std::string &Type = "FloatStorage") {
  return "(" + text("storage") + global("torch", Type) + text(Key) + text("cpu") + number(Count) +
         "tQ";
}

inline std::string tensor(const std::string &Storage, int64_t Offset,
                          const std::vector<int64_t> &Sizes, const std::vector<int64_t> &Strides) {
  return global("torch._utils", "_rebuild_tensor_v2") + "(" + Storage + number(Offset) +
         tuple(Sizes) + tuple(Strides) + "\x89" + OrderedDict + "tR";
}

/// A dict of alternating keys and values.
inline std::string dict(const std::vector<std::string> &KeysAndValues) {
  std::string Code = "}(";
  for (const std::string &Each : KeysAndValues)
    Code += Each;
  return Code + "u";
}

/// The archive of a whole pickle and of storages data/0, data/1 ...
inline std::string archive(const std::string &Pickle, const std::vector<std::string> &Storages,
                           const std::string &ByteOrder = "little") {
  std::vector<ZipFile::Part> Parts = {{"archive/data.pkl", Pickle},
                                      {"archive/byteorder", ByteOrder}};
  for (size_t I = 0; I < Storages.size(); ++I)
    Parts.push_back({"archive/data/" + std::to_string(I), Storages[I]});
  Parts.push_back({"archive/version", "3\n"});
  return ZipFile(Parts).Bytes;
}

/// The archive of one object.
inline std::string file(const std::string &Object, const std::vector<std::string> &Storages) {
  return archive("\x80\2" + Object + ".", Storages);
}

} // namespace attune::test::pt

#endif
