// Compiles attention for a shape that is known at run time only, and calls it from two threads.
#include <attune/compiler.hpp>

#include <cmath>
#include <cstdio>
#include <thread>
#include <vector>

namespace {
constexpr int64_t Heads = 4, HeadDim = 32;

std::string configuration(int64_t Length) {
  return R"({"name": "rows", "op": "attention", "module": {"num_heads": 4, "head_dim": 32},
             "forward": {"inputs": "self", "is_causal": true, "batch": 1, "target_length": )" +
         std::to_string(Length) + "}}";
}

/// The first query of a causal mask sees the first key alone: its row of `out` is that value row.
double firstRowError(const std::vector<float> &Value, const std::vector<float> &Out,
                     int64_t Length) {
  double Worst = 0;
  for (int64_t Head = 0; Head < Heads; ++Head)
    for (int64_t C = 0; C < HeadDim; ++C) {
      const size_t At = static_cast<size_t>(Head * Length * HeadDim + C);
      Worst = std::fmax(Worst, std::fabs(Value[At] - Out[At]));
    }
  return Worst;
}
} // namespace

int main() try {
  const int64_t Length = 100;
  const attune::Attention Attention = attune::compile(configuration(Length));
  const attune::Context Context(1);
  std::vector<float> Query(static_cast<size_t>(Heads * Length * HeadDim));
  for (size_t I = 0; I < Query.size(); ++I)
    Query[I] = std::sin(0.01f * static_cast<float>(I));
  std::vector<float> Outs[2] = {std::vector<float>(Query.size()), std::vector<float>(Query.size())};
  auto Call = [&](std::vector<float> &Out) {
    Attention(Context, {{"query", attune::tensor(Query.data(), {1, Heads, Length, HeadDim})}},
              {{"out", attune::tensor(Out.data(), {1, Heads, Length, HeadDim})}});
  };
  std::thread Other([&] { Call(Outs[0]); });
  Call(Outs[1]);
  Other.join();
  const double Error = firstRowError(Query, Outs[1], Length);
  std::printf("%s: %s results of two threads, error of the first row %.1e\n",
              Attention.name().c_str(), Outs[0] == Outs[1] ? "equal" : "DIFFERENT", Error);
  return Outs[0] == Outs[1] && Error < 1e-6 ? 0 : 1;
} catch (const attune::CompileError &Error) {
  std::fprintf(stderr, "compile: %s\n", Error.what());
  return 1;
} catch (const attune::StatusError &Error) {
  std::fprintf(stderr, "call: %s\n", Error.what());
  return 1;
}
