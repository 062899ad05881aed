//===- Targets.h - What fuzzers and mutants check ---------------*- C++ -*-===//
//
// One function for each entry point that takes untrusted bytes. Besides not crashing, the code
// under test must keep promises; the functions say which one an input breaks.
//
//===----------------------------------------------------------------------===//
#ifndef ATTUNE_TESTS_FUZZ_TARGETS_H
#define ATTUNE_TESTS_FUZZ_TARGETS_H

#include <string>
#include <string_view>

namespace attune::fuzz {

struct Verdict {
  bool accepted = false; ///< the code under test took the input
  std::string problem;   ///< the promise that is broken; "" when all are kept
};

/// Bytes of memory that an input may take.
size_t memoryLimit(size_t inputBytes);

using Target = Verdict(std::string_view input);

/// Runs a target. Whatever the input, this takes no more than memoryLimit: four times its size plus
/// 64 MB.
Verdict runTarget(Target *target, std::string_view input);

/// A configuration. Lines at the end that begin with `--set ` are overrides. The canonical form of
/// what is accepted is accepted and a fixed point, with the same scale and tensors.
Verdict checkConfigText(std::string_view input);

/// A score expression. What is accepted is well formed, and means the same with other space and
/// with all parentheses.
Verdict checkScoreText(std::string_view input);

/// A schedule. What is accepted comes back from its own JSON form, and checkSchedule can judge it.
Verdict checkScheduleText(std::string_view input);

/// A record of the schedule database, as its JSON form; read as a line, too. What is accepted comes
/// back from its own line.
Verdict checkRecordText(std::string_view input);

/// A tensor file of any format. Every element of every tensor can be read, and the tensors are in
/// proportion to the file.
Verdict checkTensorFile(std::string_view input);

/// What is wrong with an error message: it must be UTF-8, not empty or long, and without control
/// characters other than line ends.
std::string messageProblem(std::string_view message);

} // namespace attune::fuzz

#endif
