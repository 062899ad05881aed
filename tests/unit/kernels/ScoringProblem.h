//===- ScoringProblem.h - Inputs of Scores and Logits, and the answer -*- C++ -*-===//
#ifndef ATTUNE_TESTS_UNIT_KERNELS_SCORINGPROBLEM_H
#define ATTUNE_TESTS_UNIT_KERNELS_SCORINGPROBLEM_H

#include "GuardedArray.h"
#include "KernelTest.h"
#include "RegionReference.h"
#include <tuple>

namespace attune::cpu::test {

struct Problem {
  std::string name;
  int depth = 16, count = 7, panels = 2, tiles = 2;
  double scale = 0.25;
  float magnitude = 1;
  RegionProgram score = {}, keep = {};
  std::vector<RegionTile> operands = {}; ///< at most two
  std::vector<int> scalars = {};         ///< at most one, and none with operands
  int exp2Degree = 6;
  double tolerance = 2e-6;
  bool keyRows = false;
  ElementType keyType = ElementType::F32; ///< with keyRows: or BF16
  int missingKeys = 0;                    ///< with keyRows: so many less than whole groups

  /// Of the target, or that of keys in rows.
  RegisterBlock block(const NamedTarget &named) const {
    return keyRows ? RegisterBlock{1, named.target.vectorLanes < 8 ? 2 : 1} : named.block;
  }

  /// The part of a specification that scores and logits share.
  template <typename Spec> Spec spec(const NamedTarget &named) const {
    Spec result;
    result.block = block(named);
    result.keyRows = keyRows;
    result.keyType = keyType;
    result.depth = depth;
    result.scale = scale;
    result.score = score;
    result.keep = keep;
    result.tiles = operands;
    result.scalars = static_cast<int>(scalars.size());
    return result;
  }
};

/// What the scoring kernels read. Nothing lies behind the last element that they may read.
struct ScoringInputs {
  ScoringInputs(const Problem &problem, const NamedTarget &named);

  /// t of one row, in double.
  std::vector<double> expectedScores(int row) const;

  /// Calls `kernel` with query, key, `statistics`, operands, counts, indices, scalars and
  /// `outputs`.
  template <typename... Statistics, typename... Outputs>
  void call(const JitKernel &kernel, std::tuple<Statistics...> statistics,
            std::tuple<Outputs...> outputs) {
    Buffer q(query.data(), {problem.count, problem.depth});
    Buffer k = keyBuffer();
    auto runAt = [&](auto operands, auto scalars, auto address) {
      std::apply([&](auto... arguments) { kernel(arguments...); },
                 std::tuple_cat(
                     std::tuple(q.get(), k.get()), statistics, operands,
                     std::tuple(problem.count, problem.panels, batch, head, firstQuery, firstKey),
                     scalars, address, outputs));
    };
    auto run = [&](auto operands, auto scalars) {
      if (problem.keyRows)
        runAt(operands, scalars, std::tuple(keyAddress()));
      else
        runAt(operands, scalars, std::tuple());
    };
    std::vector<std::unique_ptr<Buffer>> tiles;
    for (size_t i = 0; i < problem.operands.size(); ++i)
      tiles.push_back(operandBuffer(i));
    if (tiles.size() == 2)
      run(std::tuple(tiles[0]->get(), tiles[1]->get()), std::tuple());
    else if (tiles.size() == 1)
      run(std::tuple(tiles[0]->get()), std::tuple());
    else if (!problem.scalars.empty())
      run(std::tuple(), std::tuple(problem.scalars[0]));
    else
      run(std::tuple(), std::tuple());
  }

  const Problem &problem;
  const int lanes, panel, columns, rows;
  const int keyStride; ///< of keys in rows
  GuardedArray<float> query, keys;
  GuardedArray<uint16_t> halves;            ///< the keys in bfloat16, if the problem has such
  std::vector<GuardedArray<float>> floats;  ///< by operand; empty for bytes
  std::vector<GuardedArray<uint8_t>> bytes; ///< by operand; empty for floats
  const int batch = 3, head = 2, firstQuery = 40;
  int firstKey = 32;

private:
  Buffer keyBuffer();
  uint64_t keyAddress() const {
    return problem.keyType == ElementType::BF16 ? addressOf(halves.data()) : addressOf(keys.data());
  }
  float keyAt(int column, int d) const;
  std::unique_ptr<Buffer> operandBuffer(size_t operand);
  size_t elementAt(size_t operand, int row, int column) const;
};

// Regions.
extern const RegionProgram causal;      ///< key <= query
extern const RegionProgram belowScalar; ///< key < scalar 0
extern const RegionProgram byteMask;    ///< operand 0 is not 0
extern const RegionProgram addBias;     ///< score + operand 0

} // namespace attune::cpu::test

#endif
