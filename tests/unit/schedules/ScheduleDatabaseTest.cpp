//===- ScheduleDatabaseTest.cpp -------------------------------------------===//
#include "SampleRecords.h"
#include <sys/stat.h>

using namespace attune;
using namespace attune::test;
namespace fs = std::filesystem;

namespace {

class ScheduleDatabaseTest : public DatabaseTest {
protected:
  /// Every record that is read must be one that was written, in the order of writing. Returns how
  /// many there are, -1 if there is another one.
  int countOf(const std::vector<std::string> &written) {
    auto place = written.begin();
    const std::vector<std::string> found = texts(load());
    for (const std::string &text : found) {
      place = std::find(place, written.end(), text);
      if (place++ == written.end())
        return -1;
    }
    return static_cast<int>(found.size());
  }
};

} // namespace

TEST_F(ScheduleDatabaseTest, AFileThatIsNotThereIsEmpty) {
  EXPECT_TRUE(load().empty());
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(ScheduleDatabaseTest, WithoutAPathNothingIsKept) {
  path = "";
  append(bestRecord());
  EXPECT_TRUE(load().empty());
}

TEST_F(ScheduleDatabaseTest, RecordsComeBackInOrder) {
  std::string error;
  append(candidateRecord("1"));
  ASSERT_TRUE(database().append({bestRecord("2"), candidateRecord("3")}, error)) << error;
  append(bestRecord("4"));
  EXPECT_EQ(texts(load()),
            texts({candidateRecord("1"), bestRecord("2"), candidateRecord("3"), bestRecord("4")}));
  std::vector<ScheduleRecord> best;
  ASSERT_TRUE(database().loadBest(best, error)) << error;
  EXPECT_EQ(texts(best), texts({bestRecord("2"), bestRecord("4")}));
  EXPECT_TRUE(warnings.empty());
  struct stat status;
  ASSERT_EQ(stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(ScheduleDatabaseTest, WhatCouldNotBeReadBackIsNotWritten) {
  ScheduleRecord record = bestRecord();
  record.key.shape.heads = 7;
  std::string error;
  EXPECT_FALSE(database().append(record, error));
  EXPECT_NE(error.find("heads"), std::string::npos) << error;
  EXPECT_FALSE(fs::exists(path));
}

TEST_F(ScheduleDatabaseTest, ALineThatWasCutTakesNoOtherAlong) {
  append(bestRecord("1"));
  const std::string line = content();
  write(line + line.substr(0, line.size() / 2));
  append(bestRecord("2"));
  EXPECT_EQ(texts(load()), texts({bestRecord("1"), bestRecord("2")}));
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_EQ(warnings[0],
            path + ": a line is skipped; line 2: cut short, or no record with a checksum");
}

TEST_F(ScheduleDatabaseTest, ARecordWithoutItsLineEndIsWhole) {
  append(bestRecord("1"));
  std::string line = content();
  line.pop_back();
  write(line);
  append(bestRecord("2"));
  EXPECT_EQ(texts(load()), texts({bestRecord("1"), bestRecord("2")}));
  EXPECT_TRUE(warnings.empty());
}

TEST_F(ScheduleDatabaseTest, ForeignLinesAreSkippedWithOneWarning) {
  append(bestRecord("1"));
  const std::string line = content();
  write("{}\n" + std::string(1 << 20, 'x') + "\n\n" + line + std::string(100, '\0') +
        "\n{\"checksum");
  EXPECT_EQ(texts(load()), texts({bestRecord("1")}));
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_NE(warnings[0].find(": 4 lines are skipped; line 1: cut short, or no record"),
            std::string::npos)
      << warnings[0];
}

TEST_F(ScheduleDatabaseTest, WhatIsNoFileIsRefused) {
  std::vector<ScheduleRecord> records;
  std::string error;
  path = folder;
  EXPECT_FALSE(database().load(records, error));
  EXPECT_EQ(error, folder + ": is not a regular file");
  EXPECT_FALSE(database().append(bestRecord(), error));
  path = folder + "/pipe";
  ASSERT_EQ(mkfifo(path.c_str(), 0600), 0);
  EXPECT_FALSE(database().load(records, error));
  EXPECT_EQ(error, path + ": is not a regular file");
  EXPECT_FALSE(database().append(bestRecord(), error));
}

TEST_F(ScheduleDatabaseTest, RewritingKeepsWhatIsAskedFor) {
  for (const char *name : {"1", "2", "3"})
    append(bestRecord(name));
  write(content() + "damaged\n");
  fs::permissions(path, fs::perms::owner_all | fs::perms::group_read);
  fs::create_symlink(path, folder + "/link");
  const std::string file = path;
  path = folder + "/link";
  std::string error;
  ASSERT_TRUE(database().rewrite([](auto &records) { records.erase(records.begin() + 1); }, error))
      << error;
  EXPECT_EQ(warnings.size(), 1u);
  EXPECT_TRUE(fs::is_symlink(path));
  path = file;
  EXPECT_EQ(texts(load()), texts({bestRecord("1"), bestRecord("3")}));
  EXPECT_EQ(warnings.size(), 1u);
  EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_all | fs::perms::group_read);
  ASSERT_TRUE(database().rewrite([](auto &records) { records.clear(); }, error)) << error;
  EXPECT_EQ(content(), "");
}

TEST_F(ScheduleDatabaseTest, EveryFlippedByteCostsNoMoreThanItsLines) {
  const std::vector<ScheduleRecord> records = {candidateRecord("1"), bestRecord("2")};
  const std::vector<std::string> written = texts(records);
  std::string error;
  ASSERT_TRUE(database().append(records, error)) << error;
  const std::string intact = content();
  for (size_t k = 0; k < intact.size(); ++k)
    for (char other : {char(intact[k] ^ (1 << k % 8)), '\n', '"'}) {
      if (other == intact[k])
        continue;
      std::string damaged = intact;
      damaged[k] = other;
      write(damaged);
      const int count = countOf(written);
      const int expected = k == intact.find('\n') ? 0 : 1; // a line end belongs to two lines
      ASSERT_EQ(count, expected) << "byte " << k << " as " << int(other);
    }
}

TEST_F(ScheduleDatabaseTest, EveryCutCostsNoMoreThanTheLastLine) {
  const std::vector<ScheduleRecord> records = {candidateRecord("1"), bestRecord("2")};
  const std::vector<std::string> written = texts(records);
  std::string error;
  ASSERT_TRUE(database().append(records, error)) << error;
  const std::string intact = content();
  const size_t firstLine = intact.find('\n');
  for (size_t length = 0; length < intact.size(); ++length) {
    write(intact.substr(0, length));
    const int expected = length < firstLine ? 0 : length + 1 < intact.size() ? 1 : 2;
    ASSERT_EQ(countOf(written), expected) << length;
    if (length % 64 != 0)
      continue; // appending waits for the disk
    append(bestRecord("3"));
    ASSERT_EQ(texts(load()).back(), toJson(bestRecord("3")));
  }
}

TEST(ScheduleDatabasePath, FollowsTheEnvironment) {
  auto path = [](const char *given, const char *data, const char *home) {
    const std::pair<const char *, const char *> variables[] = {
        {"ATTUNE_DATABASE", given}, {"XDG_DATA_HOME", data}, {"HOME", home}};
    for (auto [name, value] : variables)
      value ? setenv(name, value, 1) : unsetenv(name);
    return ScheduleDatabase::defaultPath();
  };
  EXPECT_EQ(path("here.jsonl", "/data", "/home/a"), "here.jsonl");
  EXPECT_EQ(path("", "/data", "/home/a"), "");
  EXPECT_EQ(path(nullptr, "/data", "/home/a"), "/data/attune/schedules.jsonl");
  EXPECT_EQ(path(nullptr, "relative", "/home/a"), "/home/a/.local/share/attune/schedules.jsonl");
  EXPECT_EQ(path(nullptr, nullptr, "/home/a"), "/home/a/.local/share/attune/schedules.jsonl");
  EXPECT_EQ(path(nullptr, nullptr, nullptr), "");
}
