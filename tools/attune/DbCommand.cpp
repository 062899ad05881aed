//===- DbCommand.cpp - attune db ------------------------------------------===//
#include "DbCommand.h"

#include "package/Files.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <set>

using namespace llvm;

namespace attune::tool {

namespace {
using Records = std::vector<ScheduleRecord>;

Error failure(const std::string &text) { return createStringError("%s", text.c_str()); }

ScheduleDatabase databaseOf(const DbArguments &arguments) {
  return ScheduleDatabase(arguments.config.database, warn);
}

Expected<Records> load(const ScheduleDatabase &database) {
  Records records;
  std::string error;
  if (!database.load(records, error))
    return failure(error);
  return records;
}

/// What comes from a search that was run for one thing: a later record takes its place.
std::string identityOf(const ScheduleRecord &record) {
  ScheduleRecord plain = record;
  plain.figures = plain.defaultFigures = std::nullopt;
  plain.status = CandidateStatus::Refused; // any that needs no figures
  plain.kind = RecordKind::Candidate;
  plain.detail = plain.version = plain.date = plain.machine = "";
  plain.threads = 1;
  const bool isBest = record.kind == RecordKind::Best;
  if (isBest)
    plain.schedule = {};
  return (isBest ? "best " : "candidate ") + toJson(plain);
}

/// Drops what a later record replaces, and all candidates if so wished; the order stays.
void prune(Records &records, bool dropCandidates) {
  std::set<std::string> seen;
  Records kept;
  for (ScheduleRecord &record : reverse(records))
    if (!(dropCandidates && record.kind == RecordKind::Candidate) &&
        seen.insert(identityOf(record)).second)
      kept.push_back(std::move(record));
  records.assign(std::make_move_iterator(kept.rbegin()), std::make_move_iterator(kept.rend()));
}

std::string milliseconds(const std::optional<Figures> &figures) {
  return figures ? formatv("{0:f3}", figures->bestMs).str() : "";
}

std::string gainOf(const ScheduleRecord &record) {
  if (!record.figures || !record.defaultFigures)
    return "";
  return formatv("{0:f2}x", record.defaultFigures->bestMs / record.figures->bestMs);
}

/// A table whose columns are as wide as their longest text.
void printTable(const std::vector<std::vector<std::string>> &rows) {
  std::vector<size_t> widths(rows.front().size());
  for (const auto &row : rows)
    for (auto [width, text] : zip(widths, row))
      width = std::max(width, text.size());
  for (const auto &row : rows) {
    std::string line;
    for (auto [width, text] : zip(widths, row))
      line += text + std::string(width - text.size() + 2, ' ');
    outs() << StringRef(line).rtrim() << "\n";
  }
}

std::string countOf(size_t count) {
  return std::to_string(count) + (count == 1 ? " record" : " records");
}

Error list(const DbArguments &arguments) {
  const ScheduleDatabase database = databaseOf(arguments);
  Expected<Records> records = load(database);
  if (!records)
    return records.takeError();
  std::vector<std::vector<std::string>> rows = {{"no", "kind", "op", "head_dim", "shape", "target",
                                                 "measured on", "ms", "default", "gain", "date"}};
  std::vector<std::string> texts;
  for (const auto &[position, record] : enumerate(*records)) {
    const bool isBest = record.kind == RecordKind::Best;
    if (!isBest && !arguments.candidates)
      continue;
    texts.push_back(toJson(record));
    rows.push_back({std::to_string(position + 1), isBest ? "best" : "candidate", record.key.op,
                    std::to_string(record.key.headDim), describe(record.key.shape),
                    record.key.target, record.key.microarchitecture, milliseconds(record.figures),
                    milliseconds(record.defaultFigures), gainOf(record), record.date});
  }
  if (arguments.json) {
    outs() << "[" << join(texts, ",\n ") << "]\n";
    return Error::success();
  }
  if (rows.size() > 1)
    printTable(rows);
  const auto best =
      count_if(*records, [](const auto &record) { return record.kind == RecordKind::Best; });
  outs() << countOf(records->size()) << ", " << best << " best: " << database.path() << "\n";
  return Error::success();
}

Error show(const DbArguments &arguments) {
  Expected<Records> records = load(databaseOf(arguments));
  if (!records)
    return records.takeError();
  for (StringRef operand : arguments.operands) {
    size_t number = 0;
    if (operand.getAsInteger(10, number) || number < 1 || number > records->size())
      return createStringError("record %s: expected a number from 1 to %zu, as attune db list "
                               "prints it",
                               operand.str().c_str(), records->size());
    outs() << toJson((*records)[number - 1], 2) << "\n";
  }
  return Error::success();
}

Error best(const DbArguments &arguments) {
  ConfigOptions options = arguments.config;
  options.config = arguments.operands.front();
  Expected<CompileRequest> request = readSingleRequest(options);
  if (!request)
    return request.takeError();
  Expected<ChosenSchedule> chosen =
      chooseSchedule(request->config, request->targets.front(), request->options);
  if (!chosen)
    return chosen.takeError();
  if (chosen->schedule.provenance.source == "default")
    return failure(chosen->why);
  outs() << toJson(chosen->schedule);
  return Error::success();
}

/// The records of a database, or the one of a file that `export` has written.
Expected<Records> readForMerge(const std::string &path) {
  auto text = MemoryBuffer::getFile(path, /*IsText=*/true);
  if (!text)
    return failure("cannot read " + path + ": " + text.getError().message());
  ScheduleRecord record;
  std::string error;
  if (parseRecord((*text)->getBuffer().str(), record, error))
    return Records{record};
  return load(ScheduleDatabase(path, warn));
}

Error merge(const DbArguments &arguments) {
  const ScheduleDatabase database = databaseOf(arguments);
  Expected<Records> present = load(database);
  if (!present)
    return present.takeError();
  std::set<std::string> texts;
  for (const ScheduleRecord &record : *present)
    texts.insert(toJson(record));
  Records added;
  size_t found = 0;
  for (const std::string &path : arguments.operands) {
    Expected<Records> records = readForMerge(path);
    if (!records)
      return records.takeError();
    found += records->size();
    for (ScheduleRecord &record : *records)
      if (texts.insert(toJson(record)).second)
        added.push_back(std::move(record));
  }
  std::string error;
  if (!database.append(added, error))
    return failure(error);
  outs() << countOf(added.size()) << " added, " << found - added.size()
         << " were there: " << database.path() << "\n";
  return Error::success();
}

Error pruneDatabase(const DbArguments &arguments) {
  const ScheduleDatabase database = databaseOf(arguments);
  size_t before = 0, after = 0;
  std::string error;
  auto change = [&](Records &records) {
    before = records.size();
    prune(records, arguments.candidates);
    after = records.size();
  };
  if (!database.rewrite(change, error))
    return failure(error);
  outs() << "kept " << after << " of " << countOf(before) << ": " << database.path() << "\n";
  return Error::success();
}

/// A file name of what a record is for. Texts of a record are data: no part of one is a path.
std::string fileNameOf(const ScheduleRecord &record) {
  const ShapeClass &shape = record.key.shape;
  std::string name =
      formatv("{0}-{1}-d{2}-h{3}-l{4}-s{5}", record.key.op, record.key.dtype, record.key.headDim,
              shape.heads, shape.targetLength, shape.sourceLength);
  if (shape.embedDim > 0)
    name += formatv("-e{0}", shape.embedDim);
  name += std::string(shape.isCausal ? "-causal" : "") + (shape.isMasked ? "-masked" : "") +
          (shape.needsWeights ? "-weights" : "");
  name += "-" + record.key.target + "-" + record.key.microarchitecture;
  for (char &c : name)
    if (!isAlnum(c) && c != '-' && c != '_')
      c = '_';
  return name + ".json";
}

Error exportRecords(const DbArguments &arguments) {
  Expected<Records> records = load(databaseOf(arguments));
  if (!records)
    return records.takeError();
  if (arguments.directory.empty())
    return failure("export: -o DIR is missing");
  prune(*records, /*dropCandidates=*/true);
  if (std::error_code code = sys::fs::create_directories(arguments.directory))
    return createStringError(code, "cannot create directory %s", arguments.directory.c_str());
  for (const ScheduleRecord &record : *records) {
    SmallString<128> path(arguments.directory);
    sys::path::append(path, fileNameOf(record));
    if (Error error = writeFile(path, toJson(record, 2) + "\n"))
      return error;
    outs() << path << "\n";
  }
  return Error::success();
}

struct Action {
  StringLiteral name;
  Error (*run)(const DbArguments &arguments);
  size_t leastOperands, mostOperands;
  StringLiteral operand; ///< what stands behind it, in words
};
constexpr Action kActions[] = {{"list", list, 0, 0, "nothing"},
                               {"show", show, 1, SIZE_MAX, "numbers of records"},
                               {"best", best, 1, 1, "one configuration"},
                               {"merge", merge, 1, SIZE_MAX, "databases or exported records"},
                               {"prune", pruneDatabase, 0, 0, "nothing"},
                               {"export", exportRecords, 0, 0, "nothing"}};
} // namespace

std::vector<std::string> dbActions() {
  std::vector<std::string> names;
  for (const Action &action : kActions)
    names.push_back(action.name.str());
  return names;
}

Error runDb(const DbArguments &arguments) {
  const Action *action =
      find_if(kActions, [&](const Action &entry) { return entry.name == arguments.action; });
  if (arguments.operands.size() < action->leastOperands ||
      arguments.operands.size() > action->mostOperands)
    return createStringError("db %s: found %zu arguments behind it, expected %s",
                             action->name.data(), arguments.operands.size(),
                             action->operand.data());
  if (arguments.config.database.empty())
    return failure("there is no database: ATTUNE_DATABASE is set to nothing; give --db FILE");
  return action->run(arguments);
}

} // namespace attune::tool
