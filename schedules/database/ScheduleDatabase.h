//===- ScheduleDatabase.h - Measured schedules in a file --------*- C++ -*-===//
#ifndef ATTUNE_SCHEDULES_DATABASE_SCHEDULEDATABASE_H
#define ATTUNE_SCHEDULES_DATABASE_SCHEDULEDATABASE_H

#include "schedules/database/ScheduleRecord.h"
#include <functional>
#include <string>
#include <vector>

namespace attune {

/// A file of records, one a line, each with its checksum (README.md has the format). Any number of
/// processes may read and append at once. A record whose append has returned is on the disk and
/// stays there, whatever happens to the process or to another writer. Nothing throws but
/// std::bad_alloc. A database without a path holds nothing and takes nothing.
class ScheduleDatabase {
public:
  /// $ATTUNE_DATABASE; else attune/schedules.jsonl below $XDG_DATA_HOME or ~/.local/share; "" if
  /// the variable is set to nothing, or if there is no home.
  static std::string defaultPath();

  /// `warn` is told, in one text a reading, of lines that are skipped.
  explicit ScheduleDatabase(std::string path,
                            std::function<void(const std::string &)> warn = nullptr);

  const std::string &path() const { return file; }

  /// Appends one record (or several, in one write: all or none of them are committed). Makes the
  /// file, readable for its owner only, and its folder. On failure returns false and sets `error`;
  /// the file is then as it was.
  bool append(const ScheduleRecord &record, std::string &error) const;
  bool append(const std::vector<ScheduleRecord> &records, std::string &error) const;

  /// All records in the order of their lines; damaged and foreign lines are skipped with a
  /// warning. A file that does not exist has none. On failure (no regular file, no permission)
  /// returns false and sets `error`.
  bool load(std::vector<ScheduleRecord> &records, std::string &error) const;
  /// The same for records of kind Best alone, which is faster where there are many candidates.
  bool loadBest(std::vector<ScheduleRecord> &records, std::string &error) const;

  /// Replaces all lines by what `change` makes of the records, while others wait; damaged lines go.
  /// A process that is killed meanwhile leaves the old file. On failure as append.
  bool rewrite(const std::function<void(std::vector<ScheduleRecord> &)> &change,
               std::string &error) const;

private:
  std::string file;
  std::function<void(const std::string &)> warn;
};

} // namespace attune

#endif
