//===- ScoresKernelTest.cpp - Scores and online softmax -------------------===//

#include "KernelTest.h"
#include "RegionReference.h"
#include <cmath>

namespace attune::cpu::test {
namespace {

using O = RegionOpcode;
const float infinity = std::numeric_limits<float>::infinity();

struct Problem {
  std::string name;
  int depth = 16, count = 7, panels = 2, tiles = 2;
  double scale = 0.25;
  float magnitude = 1;
  RegionProgram score = {}, keep = {};
  std::vector<ElementType> tileTypes = {};
  std::vector<int> scalars = {};
  int exp2Degree = 6;
  double tolerance = 2e-6;
};

/// Everything a run reads and writes.
struct TileRun {
  TileRun(const Problem &problem, const NamedTarget &named);
  void execute(const JitKernel &kernel, int tile);
  void check(int tile);

  const Problem &problem;
  const int lanes, panel, columns, rows, stride;
  Floats query, keys, maxIn, sumIn, maxOut, sumOut, rescale, p, s, bias;
  std::vector<uint8_t> mask;
  std::vector<double> expectedSum;
  const int batch = 3, head = 2, firstQuery = 40, firstKey = 32;
  int keyOffset = 0;
};

TileRun::TileRun(const Problem &problem, const NamedTarget &named)
    : problem(problem), lanes(named.target.vectorLanes), panel(named.block.vectors * lanes),
      columns(problem.panels * panel), rows(roundUp(problem.count, named.block.rows)),
      stride(columns + panel), query(randomFloats(problem.count * problem.depth, 1)),
      keys(randomFloats(columns * problem.depth, 2)), maxIn(rows, -infinity), sumIn(rows * lanes),
      maxOut(rows), sumOut(rows * lanes), rescale(rows), p(rows * stride), s(rows * stride),
      bias(randomFloats(rows * columns, 3)), mask(rows * columns), expectedSum(rows) {
  for (float &value : query)
    value *= problem.magnitude;
  for (size_t i = 0; i < mask.size(); ++i)
    mask[i] = (i * 7 + i / columns) % 3 != 0;
}

/// Calls the kernel with its variable list of tile operands and scalars: up to one of each.
void TileRun::execute(const JitKernel &kernel, int tile) {
  keyOffset = firstKey + tile * columns;
  Buffer q(query.data(), {problem.count, problem.depth});
  Buffer k(keys.data(), {problem.panels, problem.depth, panel});
  Buffer mi(maxIn.data(), {rows}), si(sumIn.data(), {rows, lanes});
  Buffer mo(maxOut.data(), {rows}), so(sumOut.data(), {rows, lanes}), r(rescale.data(), {rows});
  Buffer bp(p.data(), {rows, columns}, {stride, 1}), bs(s.data(), {rows, columns}, {stride, 1});
  Buffer floats(bias.data(), {rows, columns}), bytes(mask.data(), {rows, columns});
  const int c = problem.count, n = problem.panels, i = firstQuery, j = keyOffset;
  const bool hasTile = !problem.tileTypes.empty();
  Buffer &operand = hasTile && problem.tileTypes[0] == ElementType::U8 ? bytes : floats;
  if (hasTile)
    kernel(q.get(), k.get(), mi.get(), si.get(), operand.get(), c, n, batch, head, i, j, bp.get(),
           bs.get(), mo.get(), so.get(), r.get());
  else if (!problem.scalars.empty())
    kernel(q.get(), k.get(), mi.get(), si.get(), c, n, batch, head, i, j, problem.scalars[0],
           bp.get(), bs.get(), mo.get(), so.get(), r.get());
  else
    kernel(q.get(), k.get(), mi.get(), si.get(), c, n, batch, head, i, j, bp.get(), bs.get(),
           mo.get(), so.get(), r.get());
}

void TileRun::check(int tile) {
  for (int row = 0; row < problem.count; ++row) {
    std::vector<double> t(columns);
    double max = maxIn[row];
    for (int c = 0; c < columns; ++c) {
      double dot = 0;
      for (int d = 0; d < problem.depth; ++d)
        dot += double(query[row * problem.depth + d]) *
               keys[(c / panel * problem.depth + d) * panel + c % panel];
      RegionPoint point{dot * problem.scale, batch, head, firstQuery + row, keyOffset + c, {}, {}};
      if (!problem.tileTypes.empty())
        point.tileElements = {problem.tileTypes[0] == ElementType::U8 ? mask[row * columns + c]
                                                                      : bias[row * columns + c]};
      point.scalars.assign(problem.scalars.begin(), problem.scalars.end());
      t[c] = evaluate(problem.score, point).value_or(point.score);
      if (!evaluate(problem.keep, point).value_or(1))
        t[c] = -infinity;
      max = t[c] > max ? t[c] : max;
    }
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
    ScoresSpec spec;
    spec.block = GetParam().block;
    spec.depth = problem.depth;
    spec.tileColumns = (problem.panels + 1) * spec.block.vectors * GetParam().target.vectorLanes;
    spec.scale = problem.scale;
    spec.exp2Degree = problem.exp2Degree;
    spec.score = problem.score;
    spec.keep = problem.keep;
    spec.tiles = problem.tileTypes;
    spec.scalars = static_cast<int>(problem.scalars.size());
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

const RegionProgram causal{{{O::QueryIndex, {}}, {O::KeyIndex, {}}, {O::LessEqualI, {1, 0}}}};
const RegionProgram belowScalar{{{O::KeyIndex, {}}, {O::Scalar, {}, 0}, {O::LessI, {0, 1}}}};
const RegionProgram byteMask{
    {{O::TileElement, {}, 0}, {O::IntConstant, {}}, {O::NotEqualI, {0, 1}}}};
const RegionProgram addBias{{{O::Score, {}}, {O::TileElement, {}, 0}, {O::AddF, {0, 1}}}};

TEST_P(ScoresKernel, EveryCountAndDepth) {
  for (int count = 1; count <= 13; ++count)
    test({.name = "count", .count = count});
  for (int depth : {1, 3, 80, 97})
    test({.name = "depth", .depth = depth});
  test({.name = "panels", .panels = 5});
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
  test({.name = "bytes", .keep = byteMask, .tileTypes = {ElementType::U8}});
  RegionProgram never{{{O::IntConstant, {}}}};
  test({.name = "never", .keep = never});
}

TEST_P(ScoresKernel, ScoreRegions) {
  test({.name = "bias", .score = addBias, .tileTypes = {ElementType::F32}});
  test({.name = "bias and causal",
        .score = addBias,
        .keep = causal,
        .tileTypes = {ElementType::F32}});
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
  Problem problem{.name = "special", .score = addBias, .tileTypes = {ElementType::F32}};
  JitKernel kernel = make(problem);
  TileRun run(problem, GetParam());
  for (int c = 0; c < run.columns; ++c) {
    run.bias[c] = -infinity; // a row that sees nothing
    if (c % 3)
      run.bias[run.columns + c] = -infinity; // a row that sees some
  }
  run.bias[2 * run.columns + 5] = NAN;  // a poisoned row
  run.bias[3 * run.columns] = infinity; // inf - inf
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
  Buffer q(run.query.data(), {problem.count, problem.depth});
  Buffer k(run.keys.data(), {problem.panels, problem.depth, run.panel});
  Buffer mi(run.maxIn.data(), {run.rows}), si(run.sumIn.data(), {run.rows, run.lanes});
  Buffer mo(run.maxOut.data(), {run.rows}), so(run.sumOut.data(), {run.rows, run.lanes});
  Buffer r(run.rescale.data(), {run.rows});
  Buffer p(run.p.data(), {run.rows, run.columns}, {run.stride, 1});
  kernel(q.get(), k.get(), mi.get(), si.get(), problem.count, problem.panels, 0, 0, 0, 0, p.get(),
         p.get(), mo.get(), so.get(), r.get());
  EXPECT_EQ(run.p, apart);
  EXPECT_EQ(run.sumOut, sums);
}

} // namespace
} // namespace attune::cpu::test
