// Files that change while they are read: an error, never a signal.
#include "tensor_file_source.h"
#include "tensor_file_text.h"

#include <cstdio>
#include <cstdlib>
#include <gtest/gtest.h>
#include <string>
#include <unistd.h>
#include <vector>

using namespace attune::runtime;

namespace {

/// A file of 100,000 bytes that goes with the test.
class SourceTest : public testing::Test {
protected:
  SourceTest() {
    Descriptor = mkstemp(Path);
    EXPECT_EQ(ftruncate(Descriptor, Size), 0);
  }
  ~SourceTest() override {
    close(Descriptor);
    unlink(Path);
  }

  static constexpr int64_t Size = 100000;
  char Path[32] = "/tmp/attune-test-XXXXXX";
  int Descriptor;
  std::vector<char> Target = std::vector<char>(Size);
};

FileError errorOf(const Source &From, uint64_t Offset, void *Target, uint64_t Count) {
  try {
    From.read(Offset, Target, Count);
  } catch (const FileError &Error) {
    return Error;
  }
  return {ATTUNE_OK, ""};
}

} // namespace

TEST_F(SourceTest, AFileThatBecomesShorterIsAnIoError) {
  Source From(Path);
  EXPECT_EQ(errorOf(From, 0, Target.data(), Size).Status, ATTUNE_OK);
  for (int64_t Left : {Size - 1, Size / 2, int64_t{1}, int64_t{0}}) {
    ASSERT_EQ(ftruncate(Descriptor, Left), 0);
    EXPECT_EQ(From.size(), uint64_t{Size});
    FileError Error = errorOf(From, 0, Target.data(), Size);
    EXPECT_EQ(Error.Status, ATTUNE_IO_ERROR) << Left;
    EXPECT_EQ(Error.Text.rfind("cannot read the file: ", 0), 0u) << Error.Text;
    EXPECT_EQ(errorOf(From, Size - 1, Target.data(), 1).Status, ATTUNE_IO_ERROR) << Left;
  }
}

TEST_F(SourceTest, AFileThatGrowsIsReadAsItWas) {
  Source From(Path);
  ASSERT_EQ(ftruncate(Descriptor, 2 * Size), 0);
  EXPECT_EQ(From.size(), uint64_t{Size});
  EXPECT_EQ(errorOf(From, Size, Target.data(), 1).Status, ATTUNE_BAD_FILE);
}

TEST_F(SourceTest, NothingIsReadBeyondTheEnd) {
  Source From(Path);
  for (auto [Offset, Count] : {std::pair<uint64_t, uint64_t>(Size, 1),
                               {Size + 1, 0},
                               {1, Size},
                               {UINT64_MAX, 2},
                               {1, UINT64_MAX}})
    EXPECT_EQ(errorOf(From, Offset, Target.data(), Count).Status, ATTUNE_BAD_FILE)
        << Offset << " " << Count;
  EXPECT_EQ(errorOf(From, Size, nullptr, 0).Status, ATTUNE_OK);
}
