//===- raw_value.h - Enumerations that an application filled ----------------------------------===//

#ifndef ATTUNE_RUNTIME_RAW_VALUE_H
#define ATTUNE_RUNTIME_RAW_VALUE_H

#include <cstdint>
#include <cstring>

namespace attune::runtime {

/// The number in an enumeration from C, where any number may stand; in C++, merely reading one that
/// is out of range as an enumeration is undefined behaviour.
template <typename Enumeration> uint32_t rawValue(const Enumeration &Value) {
  static_assert(sizeof(Value) == sizeof(uint32_t));
  uint32_t Number;
  std::memcpy(&Number, &Value, sizeof(Number));
  return Number;
}

} // namespace attune::runtime

#endif
