//===- error.h - The text behind attune_last_error --------------------------------------------===//

#ifndef ATTUNE_RUNTIME_ERROR_H
#define ATTUNE_RUNTIME_ERROR_H

#include "attune/attune.h"

#include <cstdarg>

namespace attune::runtime {

/// Stores a printf-style text for attune_last_error of this thread and returns \p Status.
[[gnu::format(printf, 2, 3)]] attune_status fail(attune_status Status, const char *Format, ...);

/// A bounded text that is put together piece by piece; what does not fit is cut off.
class TextBuilder {
public:
  [[gnu::format(printf, 2, 3)]] void append(const char *Format, ...);
  void appendList(const char *Format, va_list Arguments);
  const char *text() const { return Buffer; }
  bool empty() const { return Length == 0; }

private:
  char Buffer[512] = "";
  unsigned Length = 0;
};

} // namespace attune::runtime

#endif
