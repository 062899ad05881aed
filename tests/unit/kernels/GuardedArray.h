//===- GuardedArray.h - Memory with nothing behind it -----------*- C++ -*-===//
#ifndef ATTUNE_TESTS_UNIT_KERNELS_GUARDEDARRAY_H
#define ATTUNE_TESTS_UNIT_KERNELS_GUARDEDARRAY_H

#include <algorithm>
#include <cstddef>
#include <new>
#include <sys/mman.h>
#include <unistd.h>
#include <utility>
#include <vector>

namespace attune::cpu::test {

/// An array that ends at a page without access: a kernel that reads or writes behind it crashes.
template <typename T> class GuardedArray {
public:
  explicit GuardedArray(size_t count) : count(count) {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    size = (count * sizeof(T) + page - 1) / page * page + page;
    memory = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED || mprotect(end(), page, PROT_NONE) != 0)
      throw std::bad_alloc();
  }
  template <typename Container>
  explicit GuardedArray(const Container &values)
    requires requires { values.begin(); }
      : GuardedArray(values.size()) {
    std::copy(values.begin(), values.end(), data());
  }
  GuardedArray(GuardedArray &&other) noexcept
      : count(other.count), size(other.size), memory(std::exchange(other.memory, MAP_FAILED)) {}
  GuardedArray(const GuardedArray &) = delete;
  ~GuardedArray() {
    if (memory != MAP_FAILED)
      munmap(memory, size);
  }

  T *data() { return end() - count; }
  const T *data() const { return end() - count; }
  T &operator[](size_t i) { return data()[i]; }
  const T &operator[](size_t i) const { return data()[i]; }

private:
  T *end() const {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    return reinterpret_cast<T *>(static_cast<char *>(memory) + size - page);
  }

  size_t count, size = 0;
  void *memory = MAP_FAILED;
};

} // namespace attune::cpu::test

#endif
