//===- Memory.cpp - Tensors in memory that notices misuse -----------------===//
#include "Memory.h"

#include "package/Elements.h"

#include <cstring>
#include <stdexcept>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>

namespace attune::conformance {

namespace {
size_t pageSize() { return static_cast<size_t>(sysconf(_SC_PAGESIZE)); }
size_t roundUp(size_t value, size_t unit) { return (value + unit - 1) / unit * unit; }

/// Filled bytes on both sides of a surrounded block: more than any vector or panel.
constexpr size_t margin = 1024;
} // namespace

Memory::Memory(size_t bytes, size_t alignment, Placement placement, unsigned char fill)
    : bytes(bytes), fill(fill) {
  const size_t page = pageSize();
  pageBytes = roundUp(bytes + 2 * margin, page);
  void *mapped = mmap(nullptr, pageBytes + 2 * page, PROT_NONE,
                      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (mapped == MAP_FAILED)
    throw std::runtime_error("mmap failed");
  pages = static_cast<unsigned char *>(mapped) + page;
  if (mprotect(pages, pageBytes, PROT_READ | PROT_WRITE) != 0)
    throw std::runtime_error("mprotect failed");
  // Blocks with huge strides touch few of their pages; the others stay untouched.
  constexpr size_t filledAtMost = size_t{1} << 28;
  if (pageBytes <= filledAtMost)
    std::memset(pages, fill, pageBytes);
  switch (placement) {
  case Placement::Surrounded:
    block = pages + roundUp(margin, alignment);
    break;
  case Placement::AtEnd:
    block = pages + (pageBytes - bytes) / alignment * alignment;
    break;
  case Placement::AtStart:
    block = pages;
    break;
  }
}

Memory &Memory::operator=(Memory &&other) noexcept {
  std::swap(pages, other.pages);
  std::swap(pageBytes, other.pageBytes);
  std::swap(block, other.block);
  std::swap(bytes, other.bytes);
  std::swap(fill, other.fill);
  return *this;
}

Memory::~Memory() {
  if (pages)
    munmap(pages - pageSize(), pageBytes + 2 * pageSize());
}

void Memory::freeze() const {
  if (pages && mprotect(pages, pageBytes, PROT_READ) != 0)
    throw std::runtime_error("mprotect failed");
}

std::string Memory::damage(const std::vector<bool> &used) const {
  for (size_t k = 0; k < pageBytes; ++k) {
    const ptrdiff_t at = pages + k - block;
    const bool inside = at >= 0 && at < static_cast<ptrdiff_t>(used.size());
    if ((!inside || !used[at]) && pages[k] != fill)
      return "byte " + std::to_string(at) + " of a block of " + std::to_string(bytes) +
             " was overwritten";
  }
  return "";
}

std::vector<int64_t> denseStrides(const std::vector<int64_t> &sizes) {
  std::vector<int64_t> strides(sizes.size());
  int64_t stride = 1;
  for (size_t d = sizes.size(); d-- > 0; stride *= sizes[d])
    strides[d] = stride;
  return strides;
}

PlacedTensor::PlacedTensor(const HostTensor &host, const std::vector<int64_t> &strides,
                           Placement placement, unsigned char fill)
    : count(host.count()) {
  tensor.data = nullptr;
  tensor.dtype = host.dtype;
  tensor.rank = static_cast<int32_t>(host.sizes.size());
  int64_t last = 0;
  for (int32_t d = 0; d < tensor.rank; ++d) {
    tensor.sizes[d] = host.sizes[d];
    tensor.strides[d] = strides[d];
    last += host.sizes[d] > 1 ? (host.sizes[d] - 1) * strides[d] : 0;
  }
  if (count == 0)
    return;
  const size_t element = attune_dtype_size(tensor.dtype);
  memory = Memory((last + 1) * element, element, placement, fill);
  tensor.data = memory.data();
  if (host.values.empty())
    return; // an output
  forEachRow([&](int64_t first, int64_t offset, int64_t columns, int64_t stride) {
    const float *values = host.values.data() + first;
    for (int64_t c = 0; c < columns; ++c)
      if (element == 1)
        memory.data()[offset + c * stride] = static_cast<unsigned char>(values[c]);
      else
        writeElement(tensor.data, tensor.dtype, offset + c * stride, values[c]);
  });
}

template <typename Visit> void PlacedTensor::forEachRow(Visit visit) const {
  const int32_t last = tensor.rank - 1;
  const int64_t columns = last < 0 ? 1 : tensor.sizes[last];
  const int64_t stride = columns > 1 ? tensor.strides[last] : 0;
  for (int64_t row = 0; row * columns < count; ++row) {
    int64_t offset = 0, index = row;
    for (int32_t d = last; d-- > 0; index /= tensor.sizes[d])
      if (tensor.sizes[d] > 1)
        offset += index % tensor.sizes[d] * tensor.strides[d];
    visit(row * columns, offset, columns, stride);
  }
}

std::vector<float> PlacedTensor::read() const {
  std::vector<float> values(count);
  forEachRow([&](int64_t first, int64_t offset, int64_t columns, int64_t stride) {
    for (int64_t c = 0; c < columns; ++c) {
      values[first + c] =
          static_cast<float>(readElement(tensor.data, tensor.dtype, offset + c * stride));
    }
  });
  return values;
}

std::string PlacedTensor::damage() const {
  const size_t element = attune_dtype_size(tensor.dtype);
  std::vector<bool> used(memory.size(), false);
  forEachRow([&](int64_t, int64_t offset, int64_t columns, int64_t stride) {
    for (int64_t c = 0; c < columns; ++c)
      for (size_t byte = 0; byte < element; ++byte)
        used[(offset + c * stride) * element + byte] = true;
  });
  return memory.damage(used);
}

} // namespace attune::conformance
