//===- ScoresKernelTest.cpp - Scores and online softmax -------------------===//

#include "ScoringProblem.h"
#include <cmath>

namespace attune::cpu::test {
namespace {

using O = RegionOpcode;
const float infinity = std::numeric_limits<float>::infinity();

/// Everything a run reads and writes.
struct TileRun : ScoringInputs {
  TileRun(const Problem &problem, const NamedTarget &named);
  void execute(const JitKernel &kernel, int tile);
  void check(int tile);

  const int stride;
  Floats maxIn, sumIn, maxOut, sumOut, rescale, p, s;
  std::vector<double> expectedSum;
};

TileRun::TileRun(const Problem &problem, const NamedTarget &named)
    : ScoringInputs(problem, named), stride(columns + panel), maxIn(rows, -infinity),
      sumIn(rows * lanes), maxOut(rows), sumOut(rows * lanes), rescale(rows), p(rows * stride),
      s(rows * stride), expectedSum(rows) {}

void TileRun::execute(const JitKernel &kernel, int tile) {
  firstKey = 32 + tile * columns;
  Buffer mi(maxIn.data(), {rows}), si(sumIn.data(), {rows, lanes});
  Buffer mo(maxOut.data(), {rows}), so(sumOut.data(), {rows, lanes}), r(rescale.data(), {rows});
  Buffer bp(p.data(), {rows, columns}, {stride, 1}), bs(s.data(), {rows, columns}, {stride, 1});
  call(kernel, std::tuple(mi.get(), si.get()),
       std::tuple(bp.get(), bs.get(), mo.get(), so.get(), r.get()));
}

void TileRun::check(int tile) {
  for (int row = 0; row < problem.count; ++row) {
    const std::vector<double> t = expectedScores(row);
    double max = maxIn[row];
    for (double score : t)
      max = score > max ? score : max;
    const double tolerance = problem.tolerance * (1 + problem.magnitude);
    const double safeMax = max == -infinity ? 0 : max;
    double sum = 0;
    // The maximum of a row with NaN is open, and with it all but the NaN itself.
    const bool poisoned = std::any_of(t.begin(), t.end(), [](double x) { return std::isnan(x); });
    for (int c = 0; c < columns; ++c) {
      const double expected = std::exp(t[c] - safeMax);
      const float actual = p[row * stride + c];
      if (std::isnan(expected))
        ASSERT_TRUE(std::isnan(actual)) << row << ' ' << c;
      else if (t[c] == -infinity)
        ASSERT_EQ(actual, 0.0f) << row << ' ' << c;
      else if (!poisoned)
        ASSERT_NEAR(actual, expected, tolerance)
            << problem.name << ' ' << tile << ' ' << row << ' ' << c;
      sum += expected;
    }
    expectedSum[row] += poisoned ? NAN : 0;
    const double scale = std::exp(maxIn[row] - safeMax);
    if (!poisoned)
      ASSERT_NEAR(rescale[row], scale, tolerance);
    if (max == -infinity)
      ASSERT_EQ(maxOut[row], -infinity);
    else if (!poisoned)
      ASSERT_NEAR(maxOut[row], max, std::abs(max) * 2e-6 + 1e-6 * (1 + problem.magnitude));
    expectedSum[row] = expectedSum[row] * scale + sum;
    double actualSum = 0;
    for (int lane = 0; lane < lanes; ++lane)
      actualSum += sumOut[row * lanes + lane];
    if (std::isnan(expectedSum[row]))
      ASSERT_TRUE(std::isnan(actualSum));
    else
      ASSERT_NEAR(actualSum, expectedSum[row], tolerance * (1 + expectedSum[row]));
  }
}

class ScoresKernel : public testing::TestWithParam<NamedTarget> {
protected:
  JitKernel make(const Problem &problem) {
    ScoresSpec spec = problem.spec<ScoresSpec>(GetParam());
    spec.tileColumns = (problem.panels + 1) * spec.block.vectors * GetParam().target.vectorLanes;
    spec.exp2Degree = problem.exp2Degree;
    return makeKernel(spec, GetParam().target);
  }

  /// Several tiles in sequence, as the loop over kv tiles does.
  void test(const Problem &problem) {
    SCOPED_TRACE(problem.name);
    JitKernel kernel = make(problem);
    TileRun run(problem, GetParam());
    for (int tile = 0; tile < problem.tiles; ++tile) {
      run.execute(kernel, tile);
      run.check(tile);
      if (HasFatalFailure())
        return;
      std::swap(run.maxIn, run.maxOut);
      std::swap(run.sumIn, run.sumOut);
    }
  }
};

INSTANTIATE_TEST_SUITE_P(Host, ScoresKernel, testing::ValuesIn(hostTargets()),
                         [](const auto &info) { return info.param.name; });

TEST_P(ScoresKernel, EveryCountAndDepth) {
  for (int count = 1; count <= 13; ++count)
    test({.name = "count", .count = count});
  for (int depth : {1, 3, 80, 97})
    test({.name = "depth", .depth = depth});
  test({.name = "panels", .panels = 5});
}

TEST_P(ScoresKernel, KeysInRows) {
  for (int count = 1; count <= 9; ++count)
    test({.name = "count", .count = count, .keyRows = true});
  for (int depth : {1, 3, 4, 7, 8, 9, 15, 17, 31, 32, 33, 80, 97, 128, 255, 256})
    test({.name = "depth", .depth = depth, .count = 2, .keyRows = true, .missingKeys = 3});
  for (int missing = 0; missing < 8; ++missing)
    test({.name = "missing", .depth = 20, .keyRows = true, .missingKeys = missing});
}

TEST_P(ScoresKernel, KeysInRowsOfBFloat16) {
  for (int depth : {1, 8, 16, 17, 32, 40, 64, 80, 96, 128, 256})
    for (int missing : {0, 3})
      test({.name = "depth " + std::to_string(depth),
            .depth = depth,
            .count = 2,
            .keyRows = true,
            .keyType = ElementType::BF16,
            .missingKeys = missing});
}

TEST_P(ScoresKernel, MasksAndRegionsOnKeysInRows) {
  test({.name = "causal", .keep = causal, .keyRows = true});
  for (int limit : {0, 5, 33, 50})
    test({.name = "below", .keep = belowScalar, .scalars = {limit}, .keyRows = true});
  test({.name = "bytes", .keep = byteMask, .operands = {{ElementType::U8}}, .keyRows = true});
  test({.name = "bias",
        .score = addBias,
        .keep = causal,
        .operands = {{ElementType::F32, true}},
        .keyRows = true});
}

TEST_P(ScoresKernel, ScalesOfEverySign) {
  for (double scale : {1.0, 0.0, -0.5, 1e-30})
    test({.name = std::to_string(scale), .scale = scale});
}

TEST_P(ScoresKernel, DegreesOfExp2) {
  const double tolerances[] = {2e-4, 6e-6, 2e-6, 2e-6, 2e-6};
  for (int degree = 3; degree <= 7; ++degree)
    test({.name = "degree", .exp2Degree = degree, .tolerance = tolerances[degree - 3]});
}

TEST_P(ScoresKernel, BigLogits) { test({.name = "big", .scale = 1, .magnitude = 1e4}); }

TEST_P(ScoresKernel, Masks) {
  test({.name = "causal", .keep = causal});
  for (int limit : {0, 5, 33, 50, 1000})
    test({.name = "below", .keep = belowScalar, .scalars = {limit}});
  test({.name = "bytes", .keep = byteMask, .operands = {{ElementType::U8}}});
  RegionProgram never{{{O::IntConstant, {}}}};
  test({.name = "never", .keep = never});
}

TEST_P(ScoresKernel, OneRowForAllQueries) {
  test({.name = "bytes", .keep = byteMask, .operands = {{ElementType::U8, true}}});
  test({.name = "bias", .score = addBias, .operands = {{ElementType::F32, true}}});
  const RegionProgram addSecond{{{O::Score, {}}, {O::TileElement, {}, 1}, {O::AddF, {0, 1}}}};
  test({.name = "mask and padding",
        .count = 9,
        .score = addSecond,
        .keep = byteMask,
        .operands = {{ElementType::U8}, {ElementType::F32, true}}});
}

TEST_P(ScoresKernel, ScoreRegions) {
  test({.name = "bias", .score = addBias, .operands = {{ElementType::F32}}});
  test({.name = "bias and causal",
        .score = addBias,
        .keep = causal,
        .operands = {{ElementType::F32}}});
  RegionProgram select{{{O::Score, {}},
                        {O::KeyIndex, {}},
                        {O::QueryIndex, {}},
                        {O::LessI, {1, 2}},
                        {O::FloatConstant, {}, 0, -2.5},
                        {O::Select, {3, 0, 4}}}};
  test({.name = "select", .score = select});
  RegionProgram perHead{{{O::Head, {}},
                         {O::Scalar, {}, 0},
                         {O::EqualI, {0, 1}},
                         {O::FloatConstant, {}, 0, 1.5},
                         {O::Score, {}},
                         {O::Select, {2, 3, 4}}}};
  for (int head : {1, 2})
    test({.name = "head", .score = perHead, .scalars = {head}});
}

TEST_P(ScoresKernel, FunctionsInScoreRegions) {
  const RegionProgram softCap{{{O::Score, {}},
                               {O::FloatConstant, {}, 0, 2},
                               {O::DivF, {0, 1}},
                               {O::TanhF, {2}},
                               {O::MulF, {1, 3}}}};
  test({.name = "soft cap", .score = softCap, .keep = causal});
  RegionProgram chain{{{O::Score, {}}}};
  for (O opcode : {O::TanhF, O::ExpF, O::LogF, O::AbsF, O::SqrtF, O::ExpF, O::TanhF, O::LogF})
    chain.operations.push_back({opcode, {static_cast<int>(chain.operations.size()) - 1}});
  test({.name = "chain", .score = chain, .tolerance = 1e-5});
}

TEST_P(ScoresKernel, FiniteMinimaStayUniform) {
  RegionProgram minimum{{{O::FloatConstant, {}, 0, -3.4028234663852886e38}}};
  test({.name = "minima", .score = minimum});
  RegionProgram added{{{O::Score, {}}, {O::FloatConstant, {}, 0, -3.4e38}, {O::AddF, {0, 1}}}};
  Problem problem{.name = "added minima", .score = added};
  JitKernel kernel = make(problem);
  TileRun run(problem, GetParam());
  run.execute(kernel, 0);
  for (int row = 0; row < problem.count; ++row)
    for (int c = 0; c < run.columns; ++c)
      ASSERT_EQ(run.p[row * run.stride + c], 1.0f);
}

TEST_P(ScoresKernel, InfinitiesAndNaNInTheBias) {
  Problem problem{.name = "special", .score = addBias, .operands = {{ElementType::F32}}};
  JitKernel kernel = make(problem);
  TileRun run(problem, GetParam());
  for (int c = 0; c < run.columns; ++c) {
    run.floats[0][c] = -infinity; // a row that sees nothing
    if (c % 3)
      run.floats[0][run.columns + c] = -infinity; // a row that sees some
  }
  run.floats[0][2 * run.columns + 5] = NAN;  // a poisoned row
  run.floats[0][3 * run.columns] = infinity; // inf - inf
  run.execute(kernel, 0);
  for (int c = 0; c < run.columns; ++c) {
    EXPECT_EQ(run.p[c], 0.0f);
    EXPECT_EQ(run.p[run.stride + c] == 0.0f, c % 3 != 0);
    EXPECT_EQ(std::isnan(run.p[2 * run.stride + c]), c == 5) << c;
    EXPECT_EQ(std::isnan(run.p[3 * run.stride + c]), c == 0);
  }
  EXPECT_EQ(run.maxOut[0], -infinity);
  EXPECT_FALSE(std::isnan(run.rescale[0]));
}

TEST_P(ScoresKernel, NaNInAVisibleKeyAndQuery) {
  for (const RegionProgram &keep : {RegionProgram{}, causal}) {
    Problem problem{.name = "nan", .keep = keep};
    JitKernel kernel = make(problem);
    TileRun run(problem, GetParam());
    run.query[2 * problem.depth + 1] = NAN;
    run.keys[3] = NAN; // depth 0 of column 3
    run.execute(kernel, 0);
    run.check(0);
  }
}

TEST_P(ScoresKernel, MaskedNaNIsZero) {
  Problem problem{.name = "masked nan", .keep = belowScalar, .scalars = {32 + 3}};
  JitKernel kernel = make(problem);
  TileRun run(problem, GetParam());
  run.keys[3] = NAN;
  run.execute(kernel, 0);
  run.check(0);
}

TEST_P(ScoresKernel, ProbabilitiesMayOverwriteScores) {
  Problem problem{.name = "aliased"};
  JitKernel kernel = make(problem);
  TileRun run(problem, GetParam());
  run.execute(kernel, 0);
  Floats apart = run.p, sums = run.sumOut;
  Buffer mi(run.maxIn.data(), {run.rows}), si(run.sumIn.data(), {run.rows, run.lanes});
  Buffer mo(run.maxOut.data(), {run.rows}), so(run.sumOut.data(), {run.rows, run.lanes});
  Buffer r(run.rescale.data(), {run.rows});
  Buffer p(run.p.data(), {run.rows, run.columns}, {run.stride, 1});
  run.call(kernel, std::tuple(mi.get(), si.get()),
           std::tuple(p.get(), p.get(), mo.get(), so.get(), r.get()));
  EXPECT_EQ(run.p, apart);
  EXPECT_EQ(run.sumOut, sums);
}

} // namespace
} // namespace attune::cpu::test
