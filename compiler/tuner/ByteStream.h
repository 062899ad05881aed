//===- ByteStream.h - Values from a child process ---------------*- C++ -*-===//
#ifndef ATTUNE_TUNER_BYTESTREAM_H
#define ATTUNE_TUNER_BYTESTREAM_H

#include <cstring>
#include <string>
#include <type_traits>
#include <vector>

namespace attune {

/// Writes values one after the other for a ByteReader of the same program.
class ByteWriter {
public:
  template <typename T> void add(const T &value) {
    static_assert(std::is_trivially_copyable_v<T>);
    bytes.append(reinterpret_cast<const char *>(&value), sizeof(T));
  }
  void add(const std::string &text) { addRange(text.data(), text.size()); }
  template <typename T> void add(const std::vector<T> &values) {
    addRange(values.data(), values.size());
  }

  std::string bytes;

private:
  template <typename T> void addRange(const T *data, size_t count) {
    static_assert(std::is_trivially_copyable_v<T>);
    add(count);
    bytes.append(reinterpret_cast<const char *>(data), count * sizeof(T));
  }
};

/// Reads them in the same order. What is missing at the end is zero or empty, and `failed` says so.
class ByteReader {
public:
  explicit ByteReader(const std::string &bytes) : bytes(bytes) {}

  template <typename T> T read() {
    T value{};
    take(&value, sizeof(T));
    return value;
  }
  std::string readText() {
    std::string text(count(1), '\0');
    take(text.data(), text.size());
    return text;
  }
  template <typename T> std::vector<T> readVector() {
    std::vector<T> values(count(sizeof(T)));
    take(values.data(), values.size() * sizeof(T));
    return values;
  }

  bool failed = false;

private:
  size_t count(size_t elementSize) {
    const size_t elements = read<size_t>();
    failed |= elements > (bytes.size() - position) / elementSize;
    return failed ? 0 : elements;
  }
  void take(void *target, size_t size) {
    failed |= size > bytes.size() - position;
    if (failed || size == 0)
      return;
    std::memcpy(target, bytes.data() + position, size);
    position += size;
  }

  const std::string &bytes;
  size_t position = 0;
};

} // namespace attune

#endif
