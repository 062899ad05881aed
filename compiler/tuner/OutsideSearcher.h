//===- OutsideSearcher.h - A search by another program ----------*- C++ -*-===//
#ifndef ATTUNE_TUNER_OUTSIDESEARCHER_H
#define ATTUNE_TUNER_OUTSIDESEARCHER_H

#include "tuner/Search.h"
#include "llvm/Support/Error.h"

namespace attune {

/// Lets a command, run by the shell, choose the schedules that `search` tries. It reads and writes
/// lines of JSON on stdin and stdout; tools/docs/tune.md describes them. Ends when the command
/// does, or when trials or time are used up. A line that is no request, and a command that fails,
/// are errors.
llvm::Error runOutsideSearcher(const std::string &command, const SearchSpace &space, Search &search,
                               uint64_t seed);

/// The knobs and values of a space, as the first line that an outside searcher reads.
std::string describeSpace(const SearchSpace &space, uint64_t seed);

/// The schedule that a request's object of knobs asks for: the default one with these values,
/// rounded to what they must be multiples of. An error names a knob or a value that is not known.
llvm::Expected<CpuSchedule> requestedSchedule(const SearchSpace &space, const std::string &knobs);

/// Name of a status in lines and tables: "ok", "wrong", "refused", "crash", "hang".
const char *statusName(CandidateStatus status);

} // namespace attune

#endif
