//===- ChildProcess.cpp - Work that may crash or hang ---------------------===//
#include "tuner/ChildProcess.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringRef.h"
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <poll.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/prctl.h>
#endif

using namespace llvm;

namespace attune {

namespace {
using Clock = std::chrono::steady_clock;
constexpr int kPollMilliseconds = 50;
constexpr size_t kLongestWords = 200;

/// What the child does: never returns.
[[noreturn]] void runChild(function_ref<std::string()> work, int output, int errors) {
#ifdef __linux__
  prctl(PR_SET_PDEATHSIG, SIGKILL);
#endif
  // A crash is the parent's to report, and so is Ctrl-C, which reaches both.
  for (int signal : {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGTERM})
    std::signal(signal, SIG_DFL);
  std::signal(SIGINT, SIG_IGN);
  const rlimit noCore{0, 0};
  setrlimit(RLIMIT_CORE, &noCore);
  dup2(errors, STDERR_FILENO);
  const std::string bytes = work();
  for (size_t written = 0; written < bytes.size();) {
    const ssize_t count = write(output, bytes.data() + written, bytes.size() - written);
    if (count < 0 && errno != EINTR)
      _exit(1);
    written += count > 0 ? size_t(count) : 0;
  }
  _exit(0);
}

/// The last line that the child has written on stderr.
std::string lastWords(FILE *errors) {
  std::rewind(errors);
  std::string text(1 << 16, '\0');
  text.resize(std::fread(text.data(), 1, text.size(), errors));
  StringRef line = StringRef(text).rtrim().rsplit('\n').second;
  if (line.empty())
    line = StringRef(text).rtrim();
  std::string words = line.take_front(kLongestWords).str();
  for (char &c : words)
    c = isPrint(c) ? c : '?';
  return words.empty() ? "" : ": " + words;
}

ChildResult collect(pid_t child, int input, double seconds, const std::function<bool()> &stop) {
  // While this process is stopped, by Ctrl-Z say, so is the child: that is no time it had.
  constexpr std::chrono::duration<double> kLongestStep{1};
  std::chrono::duration<double> spent{0};
  auto last = Clock::now();
  ChildResult result;
  auto kill = [&](ChildResult::End end) {
    ::kill(child, SIGKILL);
    result.end = end;
  };
  char buffer[1 << 16];
  for (bool isOpen = true; isOpen;) {
    pollfd poll{input, POLLIN, 0};
    const int ready = ::poll(&poll, 1, kPollMilliseconds);
    const auto now = Clock::now();
    spent += std::min<std::chrono::duration<double>>(now - last, kLongestStep);
    last = now;
    if (ready > 0) {
      const ssize_t count = read(input, buffer, sizeof(buffer));
      if (count > 0)
        result.bytes.append(buffer, size_t(count));
      isOpen = count > 0 || (count < 0 && errno == EINTR);
    }
    if (!isOpen || result.end != ChildResult::End::Finished)
      continue; // killed: the rest of its output is read to the end
    if (stop && stop())
      kill(ChildResult::End::Stopped);
    else if (spent.count() > seconds)
      kill(ChildResult::End::TimedOut);
  }
  return result;
}
} // namespace

ChildResult runInChild(function_ref<std::string()> work, double seconds,
                       const std::function<bool()> &stop) {
  auto failure = [](const char *what) {
    return ChildResult{ChildResult::End::Crashed, "", std::string(what) + std::strerror(errno)};
  };
  int ends[2];
  FILE *errors = std::tmpfile();
  if (!errors)
    return failure("no temporary file: ");
  if (pipe(ends) != 0) {
    std::fclose(errors);
    return failure("no pipe: ");
  }
  const pid_t child = fork();
  if (child == 0) {
    close(ends[0]);
    runChild(work, ends[1], fileno(errors));
  }
  close(ends[1]);
  ChildResult result = child < 0 ? failure("no process: ") : collect(child, ends[0], seconds, stop);
  close(ends[0]);
  int status = 0;
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (result.end == ChildResult::End::TimedOut) {
    result.detail = "no result after " + std::to_string(int(seconds)) + " s";
  } else if (result.end == ChildResult::End::Finished && status != 0) {
    result.end = ChildResult::End::Crashed;
    result.detail = (WIFSIGNALED(status) ? std::string(strsignal(WTERMSIG(status)))
                                         : "exit status " + std::to_string(WEXITSTATUS(status))) +
                    lastWords(errors);
  }
  std::fclose(errors);
  return result;
}

} // namespace attune
