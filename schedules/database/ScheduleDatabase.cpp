//===- ScheduleDatabase.cpp - Measured schedules in a file ----------------===//
#include "schedules/database/ScheduleDatabase.h"
#include "schedules/database/DatabaseFile.h"
#include "schedules/database/DatabaseLine.h"
#include <cstdlib>
#include <filesystem>

namespace attune {
namespace {

using Warn = std::function<void(const std::string &)>;

/// An environment variable that holds an absolute path, as the XDG specification wants it, or "".
std::string absoluteFromEnvironment(const char *name) {
  const char *value = std::getenv(name);
  return value && std::filesystem::path(value).is_absolute() ? value : "";
}

bool readAll(const Descriptor &file, const std::string &path, bool onlyBest, const Warn &warn,
             std::vector<ScheduleRecord> &records, std::string &error) {
  size_t lineNumber = 0, skipped = 0;
  std::string first;
  auto visit = [&](std::string_view line) {
    ++lineNumber;
    ScheduleRecord record;
    std::string why;
    if (line.empty())
      return;
    const LineContent content = readLine(line, onlyBest, record, why);
    if (content == LineContent::Record)
      records.push_back(std::move(record));
    if (content == LineContent::Damaged && skipped++ == 0)
      first = "line " + std::to_string(lineNumber) + ": " + why;
  };
  records.clear();
  if (!visitLines(file, path, visit, error))
    return false;
  if (skipped > 0 && warn)
    warn(path + ": " + (skipped == 1 ? "a line is" : std::to_string(skipped) + " lines are") +
         " skipped; " + first);
  return true;
}

bool loadFrom(const std::string &path, bool onlyBest, const Warn &warn,
              std::vector<ScheduleRecord> &records, std::string &error) {
  records.clear();
  Descriptor file;
  if (path.empty())
    return true;
  if (!openForReading(path, file, error))
    return false;
  return !file || readAll(file, path, onlyBest, warn, records, error);
}

/// The lines of records, or "" and an error for one that could not be read back.
std::string linesOf(const std::vector<ScheduleRecord> &records, std::string &error) {
  std::string lines;
  for (const ScheduleRecord &record : records) {
    ScheduleRecord again;
    if (!parseRecord(toJson(record), again, error)) {
      error = "a record is not stored: " + error;
      return "";
    }
    lines += lineOf(record);
  }
  return lines;
}

} // namespace

std::string ScheduleDatabase::defaultPath() {
  if (const char *given = std::getenv("ATTUNE_DATABASE"))
    return given;
  std::string folder = absoluteFromEnvironment("XDG_DATA_HOME");
  if (folder.empty()) {
    const std::string home = absoluteFromEnvironment("HOME");
    if (home.empty())
      return "";
    folder = home + "/.local/share";
  }
  return folder + "/attune/schedules.jsonl";
}

ScheduleDatabase::ScheduleDatabase(std::string path, Warn warn)
    : file(std::move(path)), warn(std::move(warn)) {}

bool ScheduleDatabase::append(const ScheduleRecord &record, std::string &error) const {
  return append(std::vector<ScheduleRecord>{record}, error);
}

bool ScheduleDatabase::append(const std::vector<ScheduleRecord> &records,
                              std::string &error) const {
  if (file.empty() || records.empty())
    return true;
  const std::string lines = linesOf(records, error);
  Descriptor opened;
  return !lines.empty() && openForWriting(file, /*create=*/true, opened, error) &&
         appendLines(opened, file, lines, error);
}

bool ScheduleDatabase::load(std::vector<ScheduleRecord> &records, std::string &error) const {
  return loadFrom(file, /*onlyBest=*/false, warn, records, error);
}

bool ScheduleDatabase::loadBest(std::vector<ScheduleRecord> &records, std::string &error) const {
  return loadFrom(file, /*onlyBest=*/true, warn, records, error);
}

bool ScheduleDatabase::rewrite(const std::function<void(std::vector<ScheduleRecord> &)> &change,
                               std::string &error) const {
  Descriptor opened;
  if (file.empty())
    return true;
  if (!openForWriting(file, /*create=*/false, opened, error))
    return false;
  std::vector<ScheduleRecord> records;
  if (!opened)
    return true;
  if (!readAll(opened, file, /*onlyBest=*/false, warn, records, error))
    return false;
  change(records);
  const std::string lines = linesOf(records, error);
  return (records.empty() || !lines.empty()) && replaceFile(opened, file, lines, error);
}

} // namespace attune
