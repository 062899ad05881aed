//===- ScheduleRecord.h - What is known of a measured schedule --*- C++ -*-===//
#ifndef ATTUNE_SCHEDULES_DATABASE_SCHEDULERECORD_H
#define ATTUNE_SCHEDULES_DATABASE_SCHEDULERECORD_H

#include "schedules/CpuSchedule.h"
#include <cstdint>
#include <optional>
#include <string>

namespace attune {

/// Calls that are alike for a schedule. Sizes are rounded to the nearest power of two; 0 stands for
/// one that the configuration leaves open, and for embedDim without projections.
struct ShapeClass {
  int64_t heads = 0;        ///< batch size times number of heads
  int64_t targetLength = 0; ///< L
  int64_t sourceLength = 0; ///< S
  int64_t embedDim = 0;
  bool isCausal = false;
  bool isMasked = false;     ///< attn_mask, key_padding_mask or a score function
  bool needsWeights = false; ///< whole rows of the softmax are kept

  bool operator==(const ShapeClass &) const = default;
};

/// The power of two that is nearest to a size by its ratio, the larger of two; 0 stays 0.
int64_t roundedSize(int64_t size);

/// How far a shape class lies from another, 0 for equal ones: a doubling of `heads` counts 1, of a
/// length 2, of embedDim 2; causal or not counts 2, masked or not 2, weights or not 8. An open size
/// counts as 16 heads or a length of 512.
int64_t distance(const ShapeClass &a, const ShapeClass &b);

/// What a schedule was measured for.
struct ScheduleKey {
  std::string op;      ///< "multihead_attention" or "attention"
  std::string dtype;   ///< "float32"
  int64_t headDim = 0; ///< of a query and a key
  ShapeClass shape;
  std::string target;            ///< name of the target; "host" is replaced by the CPU's name
  std::string microarchitecture; ///< LLVM's name of the CPU that it was measured on: "znver3"
  int vectorLanes = 0;           ///< of the target: float32 lanes of a vector register
  int vectorRegisters = 0;

  bool operator==(const ScheduleKey &) const = default;
};

/// Times of one schedule.
struct Figures {
  double bestMs = 0;   ///< of the fastest call
  double medianMs = 0; ///< of all calls
  double noise = 0;    ///< relative spread of repeated measurements: 0.01 is 1 %
  int runs = 0;        ///< timed calls

  bool operator==(const Figures &) const = default;
};

enum class RecordKind {
  Candidate, ///< a schedule that a search has tried, whatever came of it
  Best       ///< the outcome of a search: faster than the default schedule beyond the noise, or it
};

enum class CandidateStatus {
  Ok,      ///< measured
  Wrong,   ///< results were off
  Refused, ///< did not compile
  Crash,   ///< its process died
  Hang     ///< its process was stopped for taking too long
};

/// One line of a database.
struct ScheduleRecord {
  RecordKind kind = RecordKind::Candidate;
  ScheduleKey key;
  /// What was called, exactly: configuration, sizes, threads. Chosen by whoever measures; figures
  /// compare only within one workload.
  std::string workload;
  CpuSchedule schedule; ///< provenance is written from the fields of the record
  CandidateStatus status = CandidateStatus::Ok;
  std::string detail;             ///< of a status other than Ok, in words
  std::optional<Figures> figures; ///< if the status is Ok
  /// Of the default schedule, measured beside; always of a Best.
  std::optional<Figures> defaultFigures;
  int threads = 1;
  std::string version; ///< of attune
  std::string date;    ///< UTC, "2026-01-31" or "2026-01-31T12:00:00Z"
  std::string machine; ///< CPU in words
};

/// The knobs of a schedule, without provenance, as one line of JSON: equal text for equal code.
std::string knobsText(const CpuSchedule &schedule);

/// JSON without a line end at its end, controls in `detail` and `machine` as spaces; on one line
/// where `indent` is -1.
std::string toJson(const ScheduleRecord &record, int indent = -1);

/// Reads what toJson wrote. Strict: unknown, missing and duplicate keys, wrong types and
/// nonsensical numbers are errors. Legality of the schedule is not checked, since it depends on
/// problem and processor. On failure returns false, leaves the record alone and sets `error`.
bool parseRecord(const std::string &text, ScheduleRecord &record, std::string &error);

} // namespace attune

#endif
