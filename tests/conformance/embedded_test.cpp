//===- embedded_test.cpp - Generated code in a C program ------------------===//
//
// What lies on disk after a compilation, built into embedded_program.c with a strict C compiler,
// computes the same bits as the code in this process.
//
//===----------------------------------------------------------------------===//
#include "TestModule.h"

#include "package/Files.h"
#include "package/Header.h"
#include "llvm/Support/FileSystem.h"
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

using namespace attune;
using namespace attune::conformance;

namespace {
const char *const firstJson = R"({"name":"first",
  "module":{"embed_dim":24,"num_heads":3,"batch_first":true},"forward":{"need_weights":false}})";
const char *const secondJson = R"({"name":"second","op":"attention",
  "module":{"num_heads":2,"head_dim":9},"forward":{"is_causal":true}})";
constexpr CallSizes sizes{2, 7, 19};

/// The numbers of embedded_program.c.
void fill(Problem &problem) {
  uint32_t state = 1;
  for (auto *tensors : {&problem.parameters, &problem.inputs})
    for (HostTensor &tensor : *tensors)
      for (float &value : tensor.values) {
        state = state * 1664525u + 1013904223u;
        value = static_cast<float>(state >> 8) / 8388608.0f - 1.0f;
      }
}

class Embedded : public testing::Test {
protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "attune-XXXXXX").string();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    directory = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(directory); }

  static const TestModule &first() {
    static const TestModule once(firstJson);
    return once;
  }
  static const TestModule &second() {
    static const TestModule once(secondJson);
    return once;
  }

  std::string path(const std::string &name) const { return (directory / name).string(); }

  void write(const TestModule &module) {
    const std::string &name = module.config().name;
    const auto &object = module.result().object;
    succeed(writeFile(path(name + ".o"), llvm::StringRef(object.data(), object.size())));
    succeed(
        writeFile(path(name + ".h"), generateHeader(module.config(), module.result().target.name)));
  }

  static void succeed(llvm::Error error) {
    const bool failed = static_cast<bool>(error);
    EXPECT_FALSE(failed) << llvm::toString(std::move(error));
  }

  /// What a shell command prints; its exit status must be 0.
  std::string output(const std::string &command) const {
    const std::string file = path("output.txt");
    const int status = std::system((command + " > " + file + " 2>&1").c_str());
    std::ifstream stream(file);
    std::string text((std::istreambuf_iterator<char>(stream)), {});
    EXPECT_EQ(status, 0) << command << "\n" << text;
    return text;
  }

  std::string build(const std::string &options) const {
    return output(std::string(ATTUNE_C_COMPILER) +
                  " -std=c11 -Wall -Wextra -pedantic -Werror -I" ATTUNE_INCLUDE " -I" +
                  directory.string() + " " ATTUNE_EMBEDDED_PROGRAM " " + options + " -o " +
                  path("program"));
  }

  static std::string printed(const TestModule &module) {
    Problem problem = emptyProblem(module.config(), sizes);
    fill(problem);
    const Outcome outcome = module.run(attune::Context(2), problem);
    EXPECT_EQ(outcome.status, ATTUNE_OK) << outcome.text;
    std::string text;
    for (float value : outcome.out) {
      char line[64];
      std::snprintf(line, sizeof(line), "%a\n", value);
      text += line;
    }
    return text;
  }

  std::filesystem::path directory;
};

const std::string runtime = ATTUNE_RUNTIME_ARCHIVE " -lpthread";
} // namespace

TEST_F(Embedded, OneObject) {
  write(first());
  EXPECT_EQ(build(path("first.o") + " " + runtime), "");
  EXPECT_EQ(output(path("program")), printed(first()));
}

TEST_F(Embedded, TwoObjectsInOneProgram) {
  write(first());
  write(second());
  EXPECT_EQ(build("-DWITH_SECOND " + path("first.o") + " " + path("second.o") + " " + runtime), "");
  EXPECT_EQ(output(path("program")), printed(first()) + printed(second()));
}

TEST_F(Embedded, Archives) {
  write(first());
  write(second());
  for (const TestModule *module : {&first(), &second()})
    succeed(writeArchive(path("lib" + module->config().name + ".a"), module->config().name + ".o",
                         module->result().object));
  EXPECT_EQ(build("-DWITH_SECOND -L" + directory.string() + " -lfirst -lsecond " + runtime), "");
  EXPECT_EQ(output(path("program")), printed(first()) + printed(second()));
}

TEST_F(Embedded, SharedObject) {
  if (ATTUNE_SANITIZED)
    GTEST_SKIP() << "the instrumented runtime does not link into a plain shared object";
  write(first());
  succeed(linkShared(path("libfirst.so"), path("first.o"), ATTUNE_RUNTIME_ARCHIVE));
  EXPECT_EQ(build("-L" + directory.string() + " -lfirst -Wl,-rpath," + directory.string()), "");
  EXPECT_EQ(output(path("program")), printed(first()));
}

TEST_F(Embedded, HeadersAreCPlusPlusToo) {
  write(first());
  write(second());
  succeed(writeFile(path("both.cpp"), "#include \"first.h\"\n#include \"second.h\"\n"
                                      "#include \"first.h\"\nint main() { return 0; }\n"));
  EXPECT_EQ(output("c++ -std=c++11 -Wall -Wextra -pedantic -Werror -fsyntax-only -I" ATTUNE_INCLUDE
                   " -I" +
                   directory.string() + " " + path("both.cpp")),
            "");
}

TEST_F(Embedded, ObjectsExportTheirOwnNamesOnly) {
  write(first());
  std::istringstream lines(output("nm -g --defined-only " + path("first.o")));
  std::string address, kind, name;
  int count = 0;
  for (; lines >> address >> kind >> name; ++count)
    EXPECT_EQ(name.rfind("first_", 0), 0u) << name;
  EXPECT_EQ(count, 5); // forward, workspace_size, pack, packed_size, module
  std::istringstream undefined(output("nm -u " + path("first.o")));
  for (; undefined >> kind >> name;)
    EXPECT_TRUE(name.rfind("attune_", 0) == 0 || name.rfind("mem", 0) == 0) << name;
}
