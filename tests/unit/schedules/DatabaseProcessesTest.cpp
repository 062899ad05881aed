//===- DatabaseProcessesTest.cpp - Writers that are killed, and many ------===//
//
// No outcome depends on time: wherever a process is killed, what it had been told is committed must
// be there.
//
//===----------------------------------------------------------------------===//
#include "SampleRecords.h"
#include <atomic>
#include <csignal>
#include <random>
#include <set>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

using namespace attune;
using namespace attune::test;

namespace {

constexpr int failed = 1;

class DatabaseProcesses : public DatabaseTest {
protected:
  /// Runs a function in a process of its own; what it returns is the exit status.
  template <typename Body> pid_t start(Body body) {
    const pid_t child = fork();
    if (child == 0)
      _exit(body());
    EXPECT_GT(child, 0);
    return child;
  }
  static int statusOf(pid_t child) {
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return status;
  }
  static bool isRunning(pid_t child) {
    siginfo_t info = {};
    return waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == 0;
  }
  static bool hasSucceeded(int status) { return WIFEXITED(status) && WEXITSTATUS(status) == 0; }

  std::set<std::string> workloads() {
    std::set<std::string> names;
    for (const ScheduleRecord &record : load())
      EXPECT_TRUE(names.insert(record.workload).second) << record.workload << " is there twice";
    return names;
  }
};

/// A number that processes share.
class SharedCount {
public:
  SharedCount()
      : value(new (mmap(nullptr, sizeof(std::atomic<int>), PROT_READ | PROT_WRITE,
                        MAP_SHARED | MAP_ANONYMOUS, -1, 0)) std::atomic<int>(0)) {}
  ~SharedCount() { munmap(value, sizeof *value); }
  std::atomic<int> &operator*() { return *value; }

private:
  std::atomic<int> *value;
};

} // namespace

TEST_F(DatabaseProcesses, KillsLoseNoCommittedRecordAndEveryResumeGoesOn) {
  constexpr int kills = 300;
  SharedCount committed, rewrites;
  std::mt19937 random(1);
  // Continues where the records end, as a search does; every fifty records it puts the file in
  // order.
  auto write = [&] {
    std::vector<ScheduleRecord> records;
    std::string error;
    if (!database().load(records, error))
      return failed;
    for (int next = static_cast<int>(records.size());; ++next) {
      if (!database().append(candidateRecord(std::to_string(next)), error))
        return failed;
      *committed = next + 1;
      if (next % 50 == 49 && !database().rewrite([](auto &) {}, error))
        return failed;
      *rewrites += next % 50 == 49;
    }
  };
  for (int kill = 0; kill < kills; ++kill) {
    const int before = *committed;
    const pid_t child = start(write);
    // Some are killed at once, some after a few records.
    while (kill % 3 != 0 && *committed < before + kill % 7 && isRunning(child))
      usleep(10);
    usleep(random() % 300);
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    const int status = statusOf(child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "a writer ended itself: it could not go on";
    const std::set<std::string> found = workloads();
    ASSERT_GE(static_cast<int>(found.size()), *committed) << "a committed record is lost";
    for (int k = 0; k < static_cast<int>(found.size()); ++k)
      ASSERT_TRUE(found.count(std::to_string(k))) << "record " << k << " is lost";
  }
  EXPECT_GT(*rewrites, 0);
}

TEST_F(DatabaseProcesses, AFullDiskLeavesTheFileAsItWas) {
  append(bestRecord("1"));
  const std::string before = content();
  // A limit on the size of files stands for the disk: part of the line still fits.
  const pid_t child = start([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit = {before.size() + 100, before.size() + 100};
    std::string error;
    const bool refused = setrlimit(RLIMIT_FSIZE, &limit) == 0 &&
                         !database().append(bestRecord("2"), error) &&
                         error.find("cannot write") != error.npos;
    return refused ? 0 : failed;
  });
  EXPECT_TRUE(hasSucceeded(statusOf(child)));
  EXPECT_EQ(content(), before);
}

TEST_F(DatabaseProcesses, EightWritersLoseNothing) {
  constexpr int writers = 8, recordsEach = 500;
  std::vector<pid_t> children;
  for (int writer = 0; writer < writers; ++writer)
    children.push_back(start([&] {
      std::string error;
      for (int k = 0; k < recordsEach; ++k)
        if (!database().append(candidateRecord(std::to_string(writer * recordsEach + k)), error))
          return failed;
      return 0;
    }));
  // Meanwhile another process reads, and puts the file in order.
  std::string error;
  for (int k = 0; k < 10; ++k) {
    load();
    ASSERT_TRUE(database().rewrite([](auto &) {}, error)) << error;
  }
  for (pid_t child : children)
    EXPECT_TRUE(hasSucceeded(statusOf(child)));
  EXPECT_EQ(workloads().size(), size_t(writers * recordsEach));
  EXPECT_TRUE(warnings.empty()) << warnings[0];
}
