//===- ScoringProblem.cpp - Inputs of Scores and Logits, and the answer ---===//

#include "ScoringProblem.h"

namespace attune::cpu::test {

using O = RegionOpcode;

const RegionProgram causal{{{O::QueryIndex, {}}, {O::KeyIndex, {}}, {O::LessEqualI, {1, 0}}}};
const RegionProgram belowScalar{{{O::KeyIndex, {}}, {O::Scalar, {}, 0}, {O::LessI, {0, 1}}}};
const RegionProgram byteMask{
    {{O::TileElement, {}, 0}, {O::IntConstant, {}}, {O::NotEqualI, {0, 1}}}};
const RegionProgram addBias{{{O::Score, {}}, {O::TileElement, {}, 0}, {O::AddF, {0, 1}}}};

ScoringInputs::ScoringInputs(const Problem &problem, const NamedTarget &named)
    : problem(problem), lanes(named.target.vectorLanes),
      panel(problem.block(named).vectors * lanes), columns(problem.panels * panel),
      rows(roundUp(problem.count, problem.block(named).rows)), keyStride(problem.depth + 3),
      query(randomFloats(problem.count * problem.depth, 1)),
      // The last key ends with the allocation.
      keys(randomFloats(problem.keyRows ? (columns - problem.missingKeys) * keyStride - 3
                                        : columns * problem.depth,
                        2)),
      halves(problem.keyType == ElementType::BF16
                 ? cutToBFloat16(keys, (columns - problem.missingKeys) * keyStride - 3)
                 : std::vector<uint16_t>()) {
  for (int i = 0; i < problem.count * problem.depth; ++i)
    query[i] *= problem.magnitude;
  for (const RegionTile &operand : problem.operands) {
    const size_t size = (operand.oneRow ? 1 : problem.count) * columns;
    const bool isFloat = operand.type == ElementType::F32;
    floats.emplace_back(randomFloats(isFloat ? size : 0, 3));
    bytes.emplace_back(isFloat ? 0 : size);
    for (size_t i = 0; i < size && !isFloat; ++i)
      bytes.back()[i] = (i * 7 + i / columns) % 3 != 0;
  }
}

size_t ScoringInputs::elementAt(size_t operand, int row, int column) const {
  return (problem.operands[operand].oneRow ? 0 : row * columns) + column;
}

Buffer ScoringInputs::keyBuffer() {
  const std::vector<int> rowExtents = {columns - problem.missingKeys, problem.depth};
  if (problem.keyType == ElementType::BF16)
    return Buffer(halves.data(), bfloat16Type, rowExtents, {keyStride, 1});
  if (problem.keyRows)
    return Buffer(keys.data(), rowExtents, {keyStride, 1});
  return Buffer(keys.data(), {problem.panels, problem.depth, panel});
}

float ScoringInputs::keyAt(int column, int d) const {
  if (problem.keyRows)
    return keys[std::min(column, columns - problem.missingKeys - 1) * keyStride + d];
  return keys[(column / panel * problem.depth + d) * panel + column % panel];
}

std::unique_ptr<Buffer> ScoringInputs::operandBuffer(size_t operand) {
  const std::vector<int> extents{problem.operands[operand].oneRow ? 1 : problem.count, columns};
  if (problem.operands[operand].type == ElementType::F32)
    return std::make_unique<Buffer>(floats[operand].data(), extents);
  return std::make_unique<Buffer>(bytes[operand].data(), extents);
}

std::vector<double> ScoringInputs::expectedScores(int row) const {
  std::vector<double> t(columns);
  for (int c = 0; c < columns; ++c) {
    double dot = 0;
    for (int d = 0; d < problem.depth; ++d)
      dot += double(query[row * problem.depth + d]) * keyAt(c, d);
    RegionPoint point{dot * problem.scale, batch, head, firstQuery + row, firstKey + c, {}, {}};
    for (size_t i = 0; i < problem.operands.size(); ++i) {
      const size_t at = elementAt(i, row, c);
      point.tileElements.push_back(
          problem.operands[i].type == ElementType::F32 ? double(floats[i][at]) : bytes[i][at]);
    }
    point.scalars.assign(problem.scalars.begin(), problem.scalars.end());
    t[c] = evaluate(problem.score, point).value_or(point.score);
    if (!evaluate(problem.keep, point).value_or(1))
      t[c] = -INFINITY;
  }
  return t;
}

} // namespace attune::cpu::test
