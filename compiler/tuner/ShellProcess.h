//===- ShellProcess.h - A command with a conversation -----------*- C++ -*-===//
#ifndef ATTUNE_TUNER_SHELLPROCESS_H
#define ATTUNE_TUNER_SHELLPROCESS_H

#include <functional>
#include <optional>
#include <string>
#include <sys/types.h>

namespace attune {

/// A command, run by the shell, that reads what this process writes and is read line by line.
class ShellProcess {
public:
  explicit ShellProcess(const std::string &command);
  ~ShellProcess() { finish(); }
  ShellProcess(const ShellProcess &) = delete;
  ShellProcess &operator=(const ShellProcess &) = delete;

  bool isRunning() const { return child > 0; }

  /// What the command does not read any more is lost.
  void write(const std::string &text);

  /// The next line, without its end; none once the command has closed its output, has written a
  /// line of more than a megabyte, or `isOver` has become true.
  std::optional<std::string> readLine(const std::function<bool()> &isOver);

  /// Closes the conversation, gives the command a second to end, then kills it and what it has
  /// started. Returns its exit status, or 128 plus the signal that ended it.
  int finish();

private:
  pid_t child = -1;
  int socket = -1;
  int status = 0;
  std::string pending; ///< read, but not a line yet
};

} // namespace attune

#endif
