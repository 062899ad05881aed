// What the tests of tensor files share: parsing, touching every element, and building files.
#ifndef ATTUNE_TESTS_TENSOR_FILE_HELPERS_H
#define ATTUNE_TESTS_TENSOR_FILE_HELPERS_H

#include "attune/tensor_file.h"

#include <cstring>
#include <functional>
#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace attune::test {

/// The result of parsing bytes that lie in an allocation of exactly their size, so that a sanitizer
/// sees a read beyond it.
class ParsedFile {
public:
  explicit ParsedFile(const std::string &Bytes, const char *Name = "dir/test.bin");
  ParsedFile(const ParsedFile &) = delete;
  ~ParsedFile() { attune_tensor_file_close(File); }

  std::vector<std::string> names() const;
  /// A tensor that must exist, and must be aligned.
  attune_tensor get(const std::string &Name) const;
  /// The elements of a tensor in row-major order.
  template <typename Element> std::vector<Element> values(const std::string &Name) const {
    std::string Bytes = denseBytes(get(Name));
    std::vector<Element> Values(Bytes.size() / sizeof(Element));
    std::memcpy(Values.data(), Bytes.data(), Bytes.size());
    return Values;
  }

  /// The bytes of a tensor's elements in row-major order.
  static std::string denseBytes(const attune_tensor &Tensor);

  attune_tensor_file *File = nullptr;
  attune_status Status;
  std::string Message;
};

/// Parses a mutant: it must be refused with a message, or every element of its tensors must be
/// readable and the tensors must be in proportion to the file.
attune_status parseAndTouch(const std::string &Bytes);
/// Cuts a valid file at every length; each must be refused.
void expectCutsAreRefused(const std::string &Bytes);
/// Flips each bit from \p Begin to \p End and calls \p Rebuild for the file of it.
void expectFlipsAreSafe(
    const std::string &Bytes, size_t Begin, size_t End,
    const std::function<std::string(const std::string &)> &Rebuild = [](const std::string &Text) {
      return Text;
    });

struct Malformed {
  const char *What;
  std::string Bytes;
  const char *Text; ///< Part of the message.
};
void expectRefused(const Malformed &Row);
/// The name of a row's test: What, in letters, digits and underscores.
std::string rowName(const testing::TestParamInfo<Malformed> &Info);
/// What gtest prints of a row.
void PrintTo(const Malformed &Row, std::ostream *Stream);

/// A number as \p Count little-endian bytes.
std::string little(uint64_t Value, size_t Count);
std::string readFile(const std::string &Path);
std::string bytesOf(const std::vector<float> &Values);
/// \p Text with \p New in place of what stands at \p Offset.
std::string patched(std::string Text, size_t Offset, const std::string &New);

/// A .npy file of version 1.0.
std::string npyFile(const std::string &Dict, const std::string &Data);

/// A zip archive as Python writes it, and where its parts lie.
struct ZipFile {
  struct Part {
    std::string Name, Data;
  };
  explicit ZipFile(const std::vector<Part> &Parts);

  std::string Bytes;
  std::vector<size_t> Local, Data, Central; ///< Of each part.
  size_t End = 0;                           ///< The end record.
};

} // namespace attune::test

#endif
