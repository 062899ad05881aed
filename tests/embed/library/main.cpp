// One configuration compiled ahead of time and at run time: the same numbers, on one context with
// threads, and one text of the last error, whichever library made it.
#include "ahead.h"

#include <attune/compiler.hpp>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

namespace {
constexpr int64_t Heads = 3, Length = 300, HeadDim = 16;
const char *const Configuration = R"({"name": "later", "op": "attention",
  "module": {"num_heads": 3, "head_dim": 16}, "forward": {"inputs": "self", "is_causal": true}})";

void require(bool Good, const char *What) {
  if (Good)
    return;
  std::fprintf(stderr, "embed_library: %s\n", What);
  std::exit(1);
}

attune_tensor shaped(float *Data) { return attune::tensor(Data, {1, Heads, Length, HeadDim}); }

std::vector<float> runAhead(const attune::Context &Context, std::vector<float> &Query) {
  std::vector<float> Out(Query.size());
  attune::AlignedBuffer Workspace(ahead_workspace_size(Context, 1, Length, Length));
  ahead_arguments Call{};
  Call.struct_size = sizeof Call;
  Call.workspace = Workspace.data();
  Call.workspace_size = Workspace.size();
  Call.query = shaped(Query.data());
  Call.out = shaped(Out.data());
  attune::check(ahead_forward(Context, &Call));
  return Out;
}

std::vector<float> runLater(const attune::Attention &Later, const attune::Context &Context,
                            std::vector<float> &Query) {
  std::vector<float> Out(Query.size());
  Later(Context, {{"query", shaped(Query.data())}}, {{"out", shaped(Out.data())}});
  return Out;
}

/// Errors are typed, and their texts come from the one runtime of this process.
void checkErrors(const attune::Attention &Later, const attune::Context &Context) {
  try {
    (void)attune::compile(R"({"op": "attention", "module": {"num_heads": 0, "head_dim": 16}})");
    require(false, "a wrong configuration was compiled");
  } catch (const attune::CompileError &Error) {
    require(Error.kind() == attune::CompileError::Kind::Configuration, "another kind of error");
    require(std::string(Error.what()).find("num_heads") != std::string::npos, Error.what());
  }
  float Value = 0;
  try {
    Later(Context, {{"query", attune::tensor(&Value, {1})}}, {{"out", shaped(&Value)}});
    require(false, "a call of a wrong rank was accepted");
  } catch (const attune::StatusError &Error) {
    require(Error.status() == ATTUNE_WRONG_RANK, "another status");
    require(std::string(Error.what()).find("query") != std::string::npos, Error.what());
  }
  require(ahead_forward(Context, nullptr) == ATTUNE_NULL_POINTER, "null was accepted");
  require(std::string(attune_last_error()).find("null") != std::string::npos,
          "the text of the last error is another runtime's");
  try {
    (void)attune::TensorFile("/nonexistent/file.npy");
    require(false, "a missing file was read");
  } catch (const attune::StatusError &Error) {
    require(std::string(Error.what()).find("/nonexistent/file.npy") == 0, Error.what());
  }
}
} // namespace

int main() try {
  const attune::Attention Later = attune::compile(Configuration);
  std::vector<float> Query(static_cast<size_t>(Heads * Length * HeadDim));
  for (size_t I = 0; I < Query.size(); ++I)
    Query[I] = std::sin(0.01f * static_cast<float>(I));
  {
    const attune::Context Context(3);
    const std::vector<float> Expected = runAhead(Context, Query);
    std::thread Other([&] {
      for (int Turn = 0; Turn < 20; ++Turn)
        require(runLater(Later, Context, Query) == Expected, "compiled later, other numbers");
    });
    for (int Turn = 0; Turn < 20; ++Turn)
      require(runAhead(Context, Query) == Expected, "compiled ahead, other numbers");
    Other.join();
    checkErrors(Later, Context);
    // The list of pools that fork() goes through is one list.
    const pid_t Child = fork();
    if (Child == 0)
      _exit(runLater(Later, Context, Query) == Expected ? 0 : 1);
    int Status = 0;
    require(waitpid(Child, &Status, 0) == Child && Status == 0, "the child of fork() failed");
  }
  std::printf("embed_library: compiled ahead and later, one runtime\n");
  return 0;
} catch (const std::exception &Error) {
  std::fprintf(stderr, "embed_library: %s\n", Error.what());
  return 1;
}
