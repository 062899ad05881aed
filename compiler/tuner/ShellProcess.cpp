//===- ShellProcess.cpp - A command with a conversation -------------------===//
#include "tuner/ShellProcess.h"

#include <cerrno>
#include <csignal>
#include <poll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

namespace attune {

namespace {
constexpr int kPollMilliseconds = 50;
constexpr int kPatience = 20; ///< polls until a command that does not end is killed
constexpr size_t kLongestLine = 1 << 20;
} // namespace

ShellProcess::ShellProcess(const std::string &command) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
    return;
  child = fork();
  if (child == 0) {
    setpgid(0, 0);
    dup2(ends[1], STDIN_FILENO);
    dup2(ends[1], STDOUT_FILENO);
    close(ends[0]);
    close(ends[1]);
    execl("/bin/sh", "sh", "-c", command.c_str(), static_cast<char *>(nullptr));
    _exit(127);
  }
  close(ends[1]);
  socket = ends[0];
}

void ShellProcess::write(const std::string &text) {
  for (size_t written = 0; written < text.size();) {
    const ssize_t count = send(socket, text.data() + written, text.size() - written, MSG_NOSIGNAL);
    if (count < 0 && errno != EINTR)
      return;
    written += count > 0 ? size_t(count) : 0;
  }
}

std::optional<std::string> ShellProcess::readLine(const std::function<bool()> &isOver) {
  char buffer[1 << 12];
  for (;;) {
    const size_t end = pending.find('\n');
    if (end != std::string::npos) {
      std::string line = pending.substr(0, end);
      pending.erase(0, end + 1);
      return line;
    }
    if (pending.size() > kLongestLine || isOver())
      return std::nullopt;
    pollfd poll{socket, POLLIN, 0};
    if (::poll(&poll, 1, kPollMilliseconds) <= 0)
      continue;
    const ssize_t count = read(socket, buffer, sizeof(buffer));
    if (count > 0)
      pending.append(buffer, size_t(count));
    else if (count == 0 || errno != EINTR)
      return std::nullopt;
  }
}

int ShellProcess::finish() {
  if (socket >= 0)
    shutdown(socket, SHUT_WR); // what was written can still be read
  int raw = 0;
  for (int k = 0; child > 0; ++k) {
    const pid_t ended = waitpid(child, &raw, k < kPatience ? WNOHANG : 0);
    if (ended == child) {
      status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
      kill(-child, SIGKILL); // what it has left behind
      child = -1;
    } else if (ended < 0 && errno != EINTR) {
      child = -1;
    } else if (k + 1 == kPatience) {
      kill(-child, SIGKILL);
    } else {
      ::poll(nullptr, 0, kPollMilliseconds);
    }
  }
  if (socket >= 0)
    close(socket);
  socket = -1;
  return status;
}

} // namespace attune
