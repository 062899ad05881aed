//===- DatabaseLine.cpp - A record and its checksum -----------------------===//
#include "schedules/database/DatabaseLine.h"
#include <cstdio>
#include <zlib.h>

namespace attune {
namespace {

constexpr std::string_view beforeChecksum = "{\"checksum\":\"",
                           beforeRecord = "\",\"record\":", behindRecord = "}";
constexpr size_t checksumDigits = 8;

std::string checksumOf(std::string_view text) {
  const auto *bytes = reinterpret_cast<const Bytef *>(text.data());
  char digits[checksumDigits + 1];
  std::snprintf(digits, sizeof digits, "%08lx",
                crc32_z(crc32_z(0, nullptr, 0), bytes, text.size()));
  return digits;
}

bool consume(std::string_view &text, std::string_view start) {
  if (!text.starts_with(start))
    return false;
  text.remove_prefix(start.size());
  return true;
}

} // namespace

std::string lineOf(const ScheduleRecord &record) {
  const std::string text = toJson(record);
  return std::string(beforeChecksum) + checksumOf(text) + std::string(beforeRecord) + text +
         std::string(behindRecord) + "\n";
}

LineContent readLine(std::string_view line, bool onlyBest, ScheduleRecord &record,
                     std::string &error) {
  const bool isFramed = consume(line, beforeChecksum) && line.size() > checksumDigits;
  const std::string_view checksum = line.substr(0, isFramed ? checksumDigits : 0);
  line.remove_prefix(checksum.size());
  if (!isFramed || !consume(line, beforeRecord) || !line.ends_with(behindRecord)) {
    error = "cut short, or no record with a checksum";
    return LineContent::Damaged;
  }
  line.remove_suffix(behindRecord.size());
  if (checksum != checksumOf(line)) {
    error = "the checksum does not match";
    return LineContent::Damaged;
  }
  // As toJson writes it; any other spelling is parsed like the rest.
  if (onlyBest && line.starts_with("{\"format\":1,\"kind\":\"candidate\""))
    return LineContent::Other;
  if (!parseRecord(std::string(line), record, error))
    return LineContent::Damaged;
  return onlyBest && record.kind != RecordKind::Best ? LineContent::Other : LineContent::Record;
}

} // namespace attune
