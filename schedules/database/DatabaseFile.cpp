//===- DatabaseFile.cpp - A file of lines that many write -----------------===//
//
// The lock is flock's: the kernel drops it when a process ends, however it ends.
//
//===----------------------------------------------------------------------===//
#include "schedules/database/DatabaseFile.h"
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace attune {
namespace {

namespace fs = std::filesystem;

constexpr size_t longestLine = (1 << 16) + 256;

bool fail(const std::string &path, const char *action, std::string &error) {
  error = path + ": cannot " + action + ": " + std::strerror(errno);
  return false;
}

/// Repeats a system call that a signal has interrupted.
template <typename Call> auto uninterrupted(Call call) {
  decltype(call()) result;
  do
    result = call();
  while (result == -1 && errno == EINTR);
  return result;
}

bool requireRegular(const Descriptor &file, const std::string &path, std::string &error) {
  struct stat status;
  if (fstat(file.get(), &status) != 0)
    return fail(path, "look at the file", error);
  if (S_ISREG(status.st_mode))
    return true;
  error = path + ": is not a regular file";
  return false;
}

/// Is the open file still the one at its path? Another process may have replaced it while this one
/// waited for the lock.
bool isCurrent(const Descriptor &file, const std::string &path) {
  struct stat open, named;
  return fstat(file.get(), &open) == 0 && stat(path.c_str(), &named) == 0 &&
         open.st_dev == named.st_dev && open.st_ino == named.st_ino;
}

bool writeAll(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t count = uninterrupted([&] { return write(file, text.data(), text.size()); });
    if (count < 0)
      return false;
    text.remove_prefix(static_cast<size_t>(count));
  }
  return true;
}

/// Makes a new name in a folder outlast a power failure.
bool syncFolder(const std::string &path, std::string &error) {
  const fs::path parent = fs::path(path).parent_path();
  Descriptor folder(open(parent.empty() ? "." : parent.c_str(), O_RDONLY | O_CLOEXEC));
  if (!folder || fsync(folder.get()) != 0)
    return fail(path, "sync the folder", error);
  return true;
}

bool makeFolder(const std::string &path, std::string &error) {
  std::error_code code;
  const fs::path parent = fs::path(path).parent_path();
  if (!parent.empty())
    fs::create_directories(parent, code);
  if (code)
    error = path + ": cannot make the folder: " + code.message();
  return !code;
}

} // namespace

Descriptor::~Descriptor() {
  if (number >= 0)
    close(number);
}

Descriptor &Descriptor::operator=(Descriptor &&other) noexcept {
  std::swap(number, other.number);
  return *this;
}

bool openForWriting(const std::string &path, bool create, Descriptor &file, std::string &error) {
  if (create && !makeFolder(path, error))
    return false;
  const int flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NONBLOCK | (create ? O_CREAT : 0);
  for (;;) {
    Descriptor opened(open(path.c_str(), flags, 0600));
    if (!opened && errno == ENOENT && !create)
      return true;
    if (!opened)
      return fail(path, "open the file for writing", error);
    if (!requireRegular(opened, path, error))
      return false;
    if (uninterrupted([&] { return flock(opened.get(), LOCK_EX); }) != 0)
      return fail(path, "lock the file", error);
    if (!isCurrent(opened, path))
      continue;
    file = std::move(opened);
    return true;
  }
}

bool openForReading(const std::string &path, Descriptor &file, std::string &error) {
  Descriptor opened(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!opened && (errno == ENOENT || errno == ENOTDIR))
    return true;
  if (!opened)
    return fail(path, "read the file", error);
  if (!requireRegular(opened, path, error))
    return false;
  // Where a file system has no locks, a line that is being written is taken for a damaged one.
  (void)uninterrupted([&] { return flock(opened.get(), LOCK_SH); });
  file = std::move(opened);
  return true;
}

bool appendLines(const Descriptor &file, const std::string &path, const std::string &lines,
                 std::string &error) {
  const off_t size = lseek(file.get(), 0, SEEK_END);
  char last = '\n';
  if (size < 0 || (size > 0 && pread(file.get(), &last, 1, size - 1) != 1))
    return fail(path, "read the file", error);
  // A writer that was killed, or a full disk, may have left a part of a line.
  const std::string text = last == '\n' ? lines : "\n" + lines;
  if (writeAll(file.get(), text) && fsync(file.get()) == 0)
    return size > 0 || syncFolder(path, error);
  fail(path, "write", error);
  if (ftruncate(file.get(), size) != 0)
    error += "; a part of a line may be left";
  return false;
}

bool visitLines(const Descriptor &file, const std::string &path, const LineVisitor &visit,
                std::string &error) {
  std::string line;
  auto add = [&](std::string_view part) {
    line.append(part.substr(0, longestLine - std::min(longestLine, line.size())));
  };
  std::string buffer(1 << 16, '\0');
  for (off_t offset = 0;;) {
    const ssize_t count =
        uninterrupted([&] { return pread(file.get(), buffer.data(), buffer.size(), offset); });
    if (count < 0)
      return fail(path, "read the file", error);
    if (count == 0)
      break;
    offset += count;
    std::string_view rest(buffer.data(), static_cast<size_t>(count));
    for (size_t end; (end = rest.find('\n')) != rest.npos; rest.remove_prefix(end + 1)) {
      add(rest.substr(0, end));
      visit(line);
      line.clear();
    }
    add(rest);
  }
  if (!line.empty())
    visit(line);
  return true;
}

bool replaceFile(const Descriptor &file, const std::string &path, const std::string &content,
                 std::string &error) {
  std::error_code code;
  fs::path real = fs::canonical(path, code); // a link stays, and what it names is replaced
  struct stat status;
  if (code || fstat(file.get(), &status) != 0)
    return fail(path, "look at the file", error);
  const std::string fresh = real.string() + ".new"; // the lock is held: nobody else has one
  unlink(fresh.c_str());
  Descriptor made(open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (!made)
    return fail(fresh, "make the file", error);
  const bool done = writeAll(made.get(), content) &&
                    fchmod(made.get(), status.st_mode & 0777) == 0 && fsync(made.get()) == 0 &&
                    rename(fresh.c_str(), real.c_str()) == 0;
  if (!done) {
    fail(fresh, "write", error);
    unlink(fresh.c_str());
    return false;
  }
  return syncFolder(real.string(), error);
}

} // namespace attune
