//===- SanitizerOptions.cpp - Defaults of the sanitizers ------------------===//

// The shared library of LLVM is not instrumented, so that it and this program disagree on what is
// poisoned inside of containers and allocators.
extern "C" const char *__asan_default_options() {
  return "allow_user_poisoning=0:detect_container_overflow=0";
}
extern "C" const char *__ubsan_default_options() { return "print_stacktrace=1"; }
