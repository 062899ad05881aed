//===- DatabaseLine.h - A record and its checksum ---------------*- C++ -*-===//
#ifndef ATTUNE_SCHEDULES_DATABASE_DATABASELINE_H
#define ATTUNE_SCHEDULES_DATABASE_DATABASELINE_H

#include "schedules/database/ScheduleRecord.h"
#include <string_view>

namespace attune {

/// {"checksum":"1a2b3c4d","record":{...}} and a line end. The checksum is the CRC-32 of the bytes
/// of the record's object.
std::string lineOf(const ScheduleRecord &record);

/// What a line holds.
enum class LineContent { Record, Other, Damaged };

/// Reads a line without its end. `Other` is an intact candidate that was not asked for; `error`
/// says why a line is damaged or foreign.
LineContent readLine(std::string_view line, bool onlyBest, ScheduleRecord &record,
                     std::string &error);

} // namespace attune

#endif
