//===- DatabaseFile.h - A file of lines that many write ---------*- C++ -*-===//
#ifndef ATTUNE_SCHEDULES_DATABASE_DATABASEFILE_H
#define ATTUNE_SCHEDULES_DATABASE_DATABASEFILE_H

#include <functional>
#include <string>
#include <string_view>

namespace attune {

/// A file descriptor that closes itself; closing drops its lock.
class Descriptor {
public:
  explicit Descriptor(int number = -1) : number(number) {}
  ~Descriptor();
  Descriptor(Descriptor &&other) noexcept : number(other.number) { other.number = -1; }
  Descriptor &operator=(Descriptor &&other) noexcept;
  explicit operator bool() const { return number >= 0; }
  int get() const { return number; }

private:
  int number;
};

using LineVisitor = std::function<void(std::string_view line)>;

// All of these return false on failure and set `error`, which names the path.

/// Opens a file to append to it, makes it and its folder if `create`, and waits until no other
/// process holds its lock. Without `create`, a missing file is no error: `file` stays empty.
bool openForWriting(const std::string &path, bool create, Descriptor &file, std::string &error);

/// Opens a regular file to read it while nobody writes. A missing file is no error.
bool openForReading(const std::string &path, Descriptor &file, std::string &error);

/// Appends whole lines in one write, behind a line end if the last line has none, and waits until
/// they are on the disk. A failure leaves the file as it was.
bool appendLines(const Descriptor &file, const std::string &path, const std::string &lines,
                 std::string &error);

/// Visits all lines without their ends; one that is longer than 64 KiB and framing is visited as
/// its first bytes.
bool visitLines(const Descriptor &file, const std::string &path, const LineVisitor &visit,
                std::string &error);

/// Puts a new file in the place of one that is open for writing, at once or not at all.
bool replaceFile(const Descriptor &file, const std::string &path, const std::string &content,
                 std::string &error);

} // namespace attune

#endif
