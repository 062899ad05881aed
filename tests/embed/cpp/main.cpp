// Attention in a C++ program whose own threads run the loops; compared with plain loops in double.
#include "ThreadPool.h"
#include "decoder.h"
#include "scaled.h"

#include <algorithm>
#include <attune/attune.hpp>
#include <cmath>
#include <cstdio>
#include <exception>
#include <string>
#include <vector>

namespace {
constexpr int kBatch = 2, kHeads = 3, kTargets = 150, kSources = 131, kDepth = 24;

/// Floats in [-1, 1), the same in every run.
std::vector<float> randomFloats(size_t Count, uint64_t Seed) {
  std::vector<float> Values(Count);
  for (float &Value : Values) {
    Seed = Seed * 6364136223846793005u + 1442695040888963407u;
    Value = static_cast<float>(Seed >> 40) / 8388608.0f - 1.0f;
  }
  return Values;
}

struct Problem {
  std::vector<float> Query = randomFloats(size_t(kBatch) * kHeads * kTargets * kDepth, 1);
  std::vector<float> Key = randomFloats(size_t(kBatch) * kHeads * kSources * kDepth, 2);
  std::vector<float> Value = randomFloats(size_t(kBatch) * kHeads * kSources * kDepth, 3);
  std::vector<float> Mask = randomFloats(size_t(kTargets) * kSources, 4);
};

/// Runs one of the generated functions. Their argument structs have the same members.
template <typename Arguments, typename Forward, typename WorkspaceSize>
std::vector<float> run(attune::Context &Context, const Problem &Input, Forward *forward,
                       WorkspaceSize *workspaceSize) {
  std::vector<float> Out(Input.Query.size());
  attune::AlignedBuffer Workspace(workspaceSize(Context, kBatch, kTargets, kSources));
  Arguments Call{};
  Call.struct_size = sizeof Call;
  Call.workspace = Workspace.data();
  Call.workspace_size = Workspace.size();
  Call.query = attune::tensor(Input.Query.data(), {kBatch, kHeads, kTargets, kDepth});
  Call.key = attune::tensor(Input.Key.data(), {kBatch, kHeads, kSources, kDepth});
  Call.value = attune::tensor(Input.Value.data(), {kBatch, kHeads, kSources, kDepth});
  Call.attn_mask = attune::tensor(Input.Mask.data(), {kTargets, kSources});
  Call.out = attune::tensor(Out.data(), {kBatch, kHeads, kTargets, kDepth});
  attune::check(forward(Context, &Call));
  return Out;
}

/// One row of the result in double.
std::vector<double> expectedRow(const Problem &Input, int Head, int Row, double Scale,
                                bool IsCausal) {
  const float *Query = &Input.Query[(size_t(Head) * kTargets + Row) * kDepth];
  std::vector<double> Result(kDepth);
  double Sum = 0;
  for (int J = 0; J < (IsCausal ? std::min(Row + 1, kSources) : kSources); ++J) {
    const float *Key = &Input.Key[(size_t(Head) * kSources + J) * kDepth];
    const float *Value = &Input.Value[(size_t(Head) * kSources + J) * kDepth];
    double Score = 0;
    for (int D = 0; D < kDepth; ++D)
      Score += double(Query[D]) * Key[D];
    const double P = std::exp(Score * Scale + Input.Mask[size_t(Row) * kSources + J]);
    Sum += P;
    for (int D = 0; D < kDepth; ++D)
      Result[D] += P * Value[D];
  }
  for (double &Element : Result)
    Element /= Sum;
  return Result;
}

/// Whether all of \p Out is right; says so.
bool check(const char *Name, const Problem &Input, const std::vector<float> &Out, double Scale,
           bool IsCausal) {
  double Error = 0, Magnitude = 0;
  for (int Head = 0; Head < kBatch * kHeads; ++Head)
    for (int Row = 0; Row < kTargets; ++Row) {
      const std::vector<double> Expected = expectedRow(Input, Head, Row, Scale, IsCausal);
      for (int D = 0; D < kDepth; ++D) {
        const double Difference =
            std::fabs(Out[(size_t(Head) * kTargets + Row) * kDepth + D] - Expected[D]);
        if (Difference > Error || std::isnan(Difference)) // a NaN stays
          Error = Difference;
        Magnitude = std::fmax(Magnitude, std::fabs(Expected[D]));
      }
    }
  const double Allowed = 5e-6 * Magnitude;
  std::printf("embed_cpp: %s: largest error %.2g, allowed %.2g\n", Name, Error, Allowed);
  return Error <= Allowed;
}

/// A wrong call must arrive as an exception that names the argument.
bool refusesNullQuery(attune::Context &Context) {
  decoder_arguments Call{};
  Call.struct_size = sizeof Call;
  try {
    attune::check(decoder_forward(Context, &Call));
  } catch (const attune::StatusError &Error) {
    std::printf("embed_cpp: refused: %s\n", Error.what());
    return std::string(Error.what()).find("query") != std::string::npos;
  }
  return false;
}
} // namespace

int main() try {
  ThreadPool Pool(3);
  attune::Context Context(Pool.contextOptions());
  const Problem Input;
  const std::vector<float> Decoded =
      run<decoder_arguments>(Context, Input, decoder_forward, decoder_workspace_size);
  const std::vector<float> Scaled =
      run<scaled_arguments>(Context, Input, scaled_forward, scaled_workspace_size);
  std::printf("embed_cpp: %lld loops in %lld ranges on the program's threads\n",
              static_cast<long long>(Pool.loops()), static_cast<long long>(Pool.ranges()));
  const bool UsesPool = Pool.loops() > 0 && Pool.ranges() > Pool.loops();
  const bool Decodes = check("decoder", Input, Decoded, 1 / std::sqrt(double(kDepth)), true);
  const bool Scales = check("scaled", Input, Scaled, 0.5, false);
  return UsesPool && Decodes && Scales && refusesNullQuery(Context) ? 0 : 1;
} catch (const std::exception &Error) {
  std::fprintf(stderr, "embed_cpp: %s\n", Error.what());
  return 1;
}
