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

/// A child process and what has come of it so far.
struct Child {
  pid_t process = -1;
  int input = -1;         ///< what it gives back; -1: all was read
  FILE *errors = nullptr; ///< its stderr
  ChildResult result;

  void read() {
    char buffer[1 << 16];
    const ssize_t count = ::read(input, buffer, sizeof(buffer));
    if (count > 0) {
      result.bytes.append(buffer, size_t(count));
    } else if (count == 0 || errno != EINTR) {
      close(input);
      input = -1;
    }
  }
  void kill(ChildResult::End end) {
    if (input >= 0 && result.end == ChildResult::End::Finished) {
      ::kill(process, SIGKILL);
      result.end = end;
    }
  }
};

Child start(function_ref<std::string()> work) {
  Child child;
  auto failure = [&](const char *what) {
    child.result = {ChildResult::End::Crashed, "", std::string(what) + std::strerror(errno)};
    return child;
  };
  int ends[2];
  child.errors = std::tmpfile();
  if (!child.errors)
    return failure("no temporary file: ");
  if (pipe(ends) != 0)
    return failure("no pipe: ");
  child.process = fork();
  if (child.process == 0) {
    close(ends[0]);
    runChild(work, ends[1], fileno(child.errors));
  }
  close(ends[1]);
  child.input = ends[0];
  return child.process < 0 ? failure("no process: ") : child;
}

/// Reads until all have ended, by themselves or because of a limit.
void collect(MutableArrayRef<Child> children, double seconds, const std::function<bool()> &stop) {
  // While this process is stopped, by Ctrl-Z say, so is the child: that is no time it had.
  constexpr std::chrono::duration<double> kLongestStep{1};
  std::chrono::duration<double> spent{0};
  auto last = Clock::now();
  for (;;) {
    std::vector<pollfd> inputs; // a negative one is passed over
    for (const Child &child : children)
      inputs.push_back({child.input, POLLIN, 0});
    if (all_of(inputs, [](const pollfd &input) { return input.fd < 0; }))
      return;
    ::poll(inputs.data(), inputs.size(), kPollMilliseconds);
    const auto now = Clock::now();
    spent += std::min<std::chrono::duration<double>>(now - last, kLongestStep);
    last = now;
    const bool isStopped = stop && stop(), isLate = spent.count() > seconds;
    for (auto [child, input] : zip(children, inputs)) {
      if (input.fd >= 0 && input.revents != 0)
        child.read();
      if (isStopped || isLate) // what a killed one has sent is read to the end
        child.kill(isStopped ? ChildResult::End::Stopped : ChildResult::End::TimedOut);
    }
  }
}

ChildResult finish(Child &child, double seconds) {
  int status = 0;
  while (child.process > 0 && waitpid(child.process, &status, 0) < 0 && errno == EINTR) {
  }
  ChildResult result = std::move(child.result);
  if (result.end == ChildResult::End::TimedOut) {
    result.detail = "no result after " + std::to_string(int(seconds)) + " s";
  } else if (result.end == ChildResult::End::Finished && status != 0) {
    result.end = ChildResult::End::Crashed;
    result.detail = (WIFSIGNALED(status) ? std::string(strsignal(WTERMSIG(status)))
                                         : "exit status " + std::to_string(WEXITSTATUS(status))) +
                    lastWords(child.errors);
  }
  if (child.errors)
    std::fclose(child.errors);
  return result;
}
} // namespace

std::vector<ChildResult> runInChildren(ArrayRef<std::function<std::string()>> work, double seconds,
                                       const std::function<bool()> &stop) {
  std::vector<Child> children;
  for (const std::function<std::string()> &one : work)
    children.push_back(start(one));
  collect(children, seconds, stop);
  std::vector<ChildResult> results;
  for (Child &child : children)
    results.push_back(finish(child, seconds));
  return results;
}

ChildResult runInChild(const std::function<std::string()> &work, double seconds,
                       const std::function<bool()> &stop) {
  return std::move(runInChildren(work, seconds, stop).front());
}

} // namespace attune
