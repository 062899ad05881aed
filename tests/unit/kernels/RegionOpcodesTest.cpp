//===- RegionOpcodesTest.cpp - Every operation of a region ----------------===//
//
// Each operation is the score region of a kernel with depth 1 and scale 1, where the score is the
// column's key: s holds the result.
//
//===----------------------------------------------------------------------===//

#include "KernelTest.h"
#include "RegionReference.h"
#include <cmath>

namespace attune::cpu::test {
namespace {

using O = RegionOpcode;

/// A program whose result is a float, whatever kind the operation gives.
RegionProgram programOf(O opcode) {
  RegionProgram program{{{O::Score, {}},
                         {O::FloatConstant, {}, 0, 0.5},
                         {O::KeyIndex, {}},
                         {O::IntConstant, {}, 0, 3},
                         {O::LessF, {0, 1}},
                         {O::LessI, {2, 3}}}};
  auto add = [&](O code, std::vector<int> operands) {
    program.operations.push_back({code, std::move(operands)});
    return static_cast<int>(program.operations.size()) - 1;
  };
  if (opcode >= O::NegF && opcode <= O::SqrtF)
    add(opcode, {0});
  else if (opcode <= O::MaxF)
    add(opcode, {0, 1});
  else if (opcode <= O::MulI)
    add(O::IntToFloat, {add(opcode, {2, 3})});
  else if (opcode <= O::GreaterEqualI)
    add(O::Select, {add(opcode, {2, 3}), 0, 1});
  else if (opcode <= O::GreaterEqualF)
    add(O::IntToFloat, {add(opcode, {0, 1})});
  else
    add(O::IntToFloat, {add(opcode, {4, 5})});
  return program;
}

class RegionOpcodes : public testing::TestWithParam<NamedTarget> {};

INSTANTIATE_TEST_SUITE_P(Host, RegionOpcodes, testing::ValuesIn(hostTargets()),
                         [](const auto &info) { return info.param.name; });

void checkOpcode(O opcode, const NamedTarget &named) {
  const int lanes = named.target.vectorLanes, columns = named.block.vectors * lanes;
  const int rows = named.block.rows;
  ScoresSpec spec;
  spec.block = named.block;
  spec.depth = 1;
  spec.tileColumns = columns;
  spec.score = programOf(opcode);
  JitKernel kernel = makeKernel(spec, named.target);
  Floats query(1, 1.0f), keys = randomFloats(columns, 1), p(rows * columns), s = p;
  keys[0] = NAN, keys[1] = 0.5f, keys[2] = -0.0f, keys[3] = -INFINITY, keys[4] = INFINITY;
  Floats max(rows, -INFINITY), sum(rows * lanes), maxOut(rows), sumOut(rows * lanes), rescale(rows);
  kernel(Buffer(query.data(), {1, 1}).get(), Buffer(keys.data(), {1, 1, columns}).get(),
         Buffer(max.data(), {rows}).get(), Buffer(sum.data(), {rows, lanes}).get(), 1, 1, 0, 0, 0,
         0, Buffer(p.data(), {rows, columns}).get(), Buffer(s.data(), {rows, columns}).get(),
         Buffer(maxOut.data(), {rows}).get(), Buffer(sumOut.data(), {rows, lanes}).get(),
         Buffer(rescale.data(), {rows}).get());
  for (int c = 0; c < columns; ++c) {
    const double expected = *evaluate(spec.score, {keys[c], 0, 0, 0, c, {}, {}});
    if (std::isnan(expected))
      EXPECT_TRUE(std::isnan(s[c])) << static_cast<int>(opcode) << ' ' << c;
    else if (opcode == O::ExpF || opcode == O::LogF || opcode == O::TanhF)
      EXPECT_FLOAT_EQ(s[c], expected) << static_cast<int>(opcode) << ' ' << c; // 4 ULP
    else
      EXPECT_EQ(s[c], static_cast<float>(expected)) << static_cast<int>(opcode) << ' ' << c;
  }
}

TEST_P(RegionOpcodes, EqualTheReference) {
  for (int opcode = static_cast<int>(O::AddF); opcode <= static_cast<int>(O::Xor); ++opcode)
    checkOpcode(static_cast<O>(opcode), GetParam());
}

} // namespace
} // namespace attune::cpu::test
