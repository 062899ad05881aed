//===- error.cpp - The text behind attune_last_error ------------------------------------------===//

#include "error.h"

#include <cstdio>

namespace attune::runtime {

// Constant-initialised and trivially destructible, so that it needs nothing of libstdc++.
static thread_local char LastError[1024] = "";

attune_status fail(attune_status Status, const char *Format, ...) {
  va_list Arguments;
  va_start(Arguments, Format);
  vsnprintf(LastError, sizeof(LastError), Format, Arguments);
  va_end(Arguments);
  return Status;
}

void TextBuilder::append(const char *Format, ...) {
  va_list Arguments;
  va_start(Arguments, Format);
  appendList(Format, Arguments);
  va_end(Arguments);
}

void TextBuilder::appendList(const char *Format, va_list Arguments) {
  unsigned Space = sizeof(Buffer) - Length;
  int Written = vsnprintf(Buffer + Length, Space, Format, Arguments);
  if (Written > 0)
    Length += static_cast<unsigned>(Written) < Space ? static_cast<unsigned>(Written) : Space - 1;
}

} // namespace attune::runtime

const char *attune_last_error(void) { return attune::runtime::LastError; }
