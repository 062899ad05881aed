// A thin C++17 layer over attune.h and tensor_file.h: ownership and exceptions, nothing else.
//
// TensorFile needs the library attune_tensors, everything else attune_runtime.
#ifndef ATTUNE_ATTUNE_HPP
#define ATTUNE_ATTUNE_HPP

#include "attune/attune.h"
#include "attune/tensor_file.h"

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <new>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>

namespace attune {

/// A failed call: its status, and as what() the text that says which argument was wrong and how.
class StatusError : public std::runtime_error {
public:
  StatusError(attune_status Status, const std::string &Text)
      : std::runtime_error(Text), Code(Status) {}
  attune_status status() const noexcept { return Code; }

private:
  attune_status Code;
};

/// Throws a StatusError unless \p Status is ATTUNE_OK. To be called by the thread whose call
/// failed.
inline void check(attune_status Status) {
  if (Status == ATTUNE_OK)
    return;
  std::string Text = attune_last_error();
  throw StatusError(Status, Text.empty() ? attune_status_text(Status) : Text);
}

/// Owns a context. Converts to the pointer that the C functions take.
class Context {
public:
  /// \p Threads counts the caller; 0 means one per CPU that this process may use.
  explicit Context(int32_t Threads = 0)
      : Context(attune_context_options{sizeof(attune_context_options), Threads, nullptr, nullptr}) {
  }
  explicit Context(const attune_context_options &Options) {
    check(attune_context_create(&Options, &Handle));
  }
  Context(Context &&Other) noexcept : Handle(std::exchange(Other.Handle, nullptr)) {}
  Context &operator=(Context &&Other) noexcept {
    std::swap(Handle, Other.Handle);
    return *this;
  }
  ~Context() { attune_context_destroy(Handle); }

  operator attune_context *() const noexcept { return Handle; }
  int32_t workers() const noexcept { return attune_context_workers(Handle); }

private:
  attune_context *Handle = nullptr;
};

/// Memory aligned as packed parameters and workspaces need it; not initialised.
class AlignedBuffer {
public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(size_t Size)
      : Memory(Size ? ::operator new(Size, std::align_val_t{ATTUNE_ALIGNMENT}) : nullptr),
        Bytes(Size) {}
  AlignedBuffer(AlignedBuffer &&Other) noexcept
      : Memory(std::exchange(Other.Memory, nullptr)), Bytes(std::exchange(Other.Bytes, 0)) {}
  AlignedBuffer &operator=(AlignedBuffer &&Other) noexcept {
    std::swap(Memory, Other.Memory);
    std::swap(Bytes, Other.Bytes);
    return *this;
  }
  ~AlignedBuffer() { ::operator delete(Memory, std::align_val_t{ATTUNE_ALIGNMENT}); }

  void *data() const noexcept { return Memory; }
  template <typename T> T *as() const noexcept { return static_cast<T *>(Memory); }
  size_t size() const noexcept { return Bytes; }

private:
  void *Memory = nullptr;
  size_t Bytes = 0;
};

/// The element type of T. Types without one in C++17 (bfloat16, float16) are named explicitly.
template <typename T> constexpr attune_dtype dtypeOf() {
  using Element = std::remove_cv_t<T>;
  if constexpr (std::is_same_v<Element, float>)
    return ATTUNE_FLOAT32;
  else if constexpr (std::is_same_v<Element, double>)
    return ATTUNE_FLOAT64;
  else if constexpr (std::is_same_v<Element, bool>)
    return ATTUNE_BOOL;
  else if constexpr (std::is_same_v<Element, uint8_t>)
    return ATTUNE_UINT8;
  else if constexpr (std::is_same_v<Element, int8_t>)
    return ATTUNE_INT8;
  else if constexpr (std::is_same_v<Element, int16_t>)
    return ATTUNE_INT16;
  else if constexpr (std::is_same_v<Element, int32_t>)
    return ATTUNE_INT32;
  else {
    static_assert(std::is_same_v<Element, int64_t>, "attune has no such element type");
    return ATTUNE_INT64;
  }
}

/// A dense row-major tensor over the application's memory. A const pointer is accepted for inputs,
/// which the generated code only reads.
template <typename T> attune_tensor tensor(T *Data, std::initializer_list<int64_t> Sizes) {
  if (Sizes.size() > ATTUNE_MAX_RANK)
    throw StatusError(ATTUNE_WRONG_RANK, "attune::tensor: more dimensions than ATTUNE_MAX_RANK");
  return attune_dense_tensor(const_cast<std::remove_cv_t<T> *>(Data), dtypeOf<T>(),
                             static_cast<int32_t>(Sizes.size()), Sizes.begin());
}

/// Owns a tensor file's contents. The tensors it hands out are valid as long as it lives.
class TensorFile {
public:
  explicit TensorFile(const std::string &Path) {
    check(attune_tensor_file_open(Path.c_str(), &Handle));
  }
  TensorFile(const void *Bytes, size_t Size, const std::string &Name) {
    check(attune_tensor_file_parse(Bytes, Size, Name.c_str(), &Handle));
  }
  TensorFile(TensorFile &&Other) noexcept : Handle(std::exchange(Other.Handle, nullptr)) {}
  TensorFile &operator=(TensorFile &&Other) noexcept {
    std::swap(Handle, Other.Handle);
    return *this;
  }
  ~TensorFile() {
    if (Handle)
      attune_tensor_file_close(Handle);
  }

  size_t size() const noexcept { return attune_tensor_file_count(Handle); }
  /// The name of tensor \p Index in the file's order; null when out of range.
  const char *name(size_t Index) const noexcept { return attune_tensor_file_name(Handle, Index); }
  bool contains(const std::string &Name) const noexcept {
    attune_tensor Ignored;
    return attune_tensor_file_get(Handle, Name.c_str(), &Ignored) == ATTUNE_OK;
  }
  /// Throws a StatusError with ATTUNE_NOT_FOUND that names the nearest tensors.
  attune_tensor get(const std::string &Name) const {
    attune_tensor Result;
    check(attune_tensor_file_get(Handle, Name.c_str(), &Result));
    return Result;
  }

private:
  attune_tensor_file *Handle = nullptr;
};

} // namespace attune

#endif
