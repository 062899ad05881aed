//===- record_tuning.cpp - Times of a whole space of schedules ------------===//
//
// Compiles and checks every schedule of a space, then times all of them in turns, call by call, so
// that whatever else slows the machine down slows them all, and keeps the times in a database.
//
//===----------------------------------------------------------------------===//
#include "RecordedSpace.h"
#include "TuneRecords.h"
#include <cstdio>

using namespace attune;

static constexpr double kSeconds = 50; ///< of timed calls

int main(int argc, char **argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: %s TARGET DATABASE\n", argv[0]);
    return 2;
  }
  const TuningProblem problem = recordedProblem(argv[1]);
  const SearchSpace space = recordedSpace(problem);
  const auto runner = orExit(CandidateRunner::create(problem, {}));
  const ScheduleDatabase database(argv[2]);
  const tool::TuneRecords records(database, problem);
  const std::vector<CpuSchedule> all = schedulesOf(space);
  runner->expect(all);
  std::vector<CpuSchedule> working;
  for (size_t k = 0; k < all.size(); ++k) {
    auto measured = runner->measure(all[k], 0);
    if (measured && measured->status == CandidateStatus::Ok)
      working.push_back(all[k]);
    else if (measured)
      std::fprintf(stderr, "\n%s\n", measured->detail.c_str());
    std::fprintf(stderr, "\r%zu of %zu are compiled", k + 1, all.size());
  }
  std::fprintf(stderr, "; timing takes %.0f s\n", kSeconds);
  const InterleavedTimes times = orExit(runner->interleave(working, kSeconds));
  for (size_t k = 0; k < working.size(); ++k) {
    Trial trial;
    trial.schedule = working[k];
    trial.measurement.milliseconds = times[k];
    if (llvm::Error error = records.add(trial)) {
      std::fprintf(stderr, "%s\n", llvm::toString(std::move(error)).c_str());
      return 1;
    }
  }
  return 0;
}
