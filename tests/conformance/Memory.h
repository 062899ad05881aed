//===- Memory.h - Tensors in memory that notices misuse ---------*- C++ -*-===//
#ifndef ATTUNE_TESTS_CONFORMANCE_MEMORY_H
#define ATTUNE_TESTS_CONFORMANCE_MEMORY_H

#include "Problem.h"

namespace attune::conformance {

/// Where a block lies in its pages. Pages before and after are inaccessible.
enum class Placement {
  Surrounded, ///< filled bytes on both sides
  AtEnd,      ///< the inaccessible page follows at once
  AtStart,    ///< the inaccessible page ends right before
};

/// Bytes that fill unused memory: all ones is a NaN, and forbids in a mask.
inline constexpr unsigned char inputFill = 0xff;
/// As a float -1.7e38: no result of a test.
inline constexpr unsigned char outputFill = 0xfe;

/// A block of memory between inaccessible pages, filled with one byte.
class Memory {
public:
  Memory() = default;
  Memory(size_t bytes, size_t alignment, Placement placement, unsigned char fill);
  Memory(Memory &&other) noexcept { *this = std::move(other); }
  Memory &operator=(Memory &&other) noexcept;
  ~Memory();

  unsigned char *data() const { return block; }
  size_t size() const { return bytes; }
  /// Makes the block read-only.
  void freeze() const;
  /// "" when every byte outside the block and every byte of the block that `used` lacks still holds
  /// the fill, else where one does not.
  std::string damage(const std::vector<bool> &used) const;

private:
  unsigned char *pages = nullptr; ///< the accessible ones
  size_t pageBytes = 0;
  unsigned char *block = nullptr;
  size_t bytes = 0;
  unsigned char fill = 0;
};

/// A host tensor laid out with given strides. Elements that strides make the same hold the last
/// one written.
class PlacedTensor {
public:
  PlacedTensor(const HostTensor &tensor, const std::vector<int64_t> &strides, Placement placement,
               unsigned char fill);

  const attune_tensor &view() const { return tensor; }
  /// The dense logical contents.
  std::vector<float> read() const;
  void freeze() const { memory.freeze(); }
  /// "" unless bytes that belong to no element have changed.
  std::string damage() const;

private:
  /// Calls visit(index of the first element, its offset, elements, their stride) for every row of
  /// the last dimension.
  template <typename Visit> void forEachRow(Visit visit) const;

  attune_tensor tensor;
  int64_t count;
  Memory memory;
};

/// Dense row-major strides.
std::vector<int64_t> denseStrides(const std::vector<int64_t> &sizes);

} // namespace attune::conformance

#endif
