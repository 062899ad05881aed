//===- Scoring.h - What Scores and Logits share -----------------*- C++ -*-===//
//
// The products of a query tile and a key tile with their score and keep regions, and row maxima.
//
//===----------------------------------------------------------------------===//
#ifndef ATTUNE_CODEGEN_CPU_KERNELS_SCORING_H
#define ATTUNE_CODEGEN_CPU_KERNELS_SCORING_H

#include "codegen/cpu/kernels/HalideCommon.h"
#include "codegen/cpu/kernels/RegionToHalide.h"

namespace attune::cpu {

/// Builds the functions that both kernels have. With a folded scale, `score` holds products that
/// are not scaled yet, maxima are scaled all the same.
class ScoringKernel {
protected:
  ScoringKernel(const ScoringSpec &spec, const KernelTarget &target, bool foldScale);

  void defineScores();
  /// In place of defineScores: `score` is what a kernel before has stored, with this row stride if
  /// it is static.
  void readScores(std::optional<int> rowStride);
  void defineMaximum();

  /// Combines the vectors of one panel of a row: lane l holds column l modulo lanes.
  Halide::Expr vectorsOfRow(Halide::Func tile, const Halide::Expr &panelIndex,
                            Combine combine) const;
  /// Bounds the rows of `func` and unrolls them by register blocks.
  void splitRows(Halide::Func &func);
  /// Tile operands, extents, indices and scalars, behind the statistics; then s if it is read.
  void appendArguments(std::vector<Halide::Argument> &arguments) const;

  const int lanes, panelWidth;
  const bool scaleIsFolded;
  Halide::ImageParam query, key, maxIn;
  Halide::ImageParam stored; ///< scores that a kernel before has stored, or products
  Halide::Param<int32_t> panels{"panels"};
  Halide::Param<uint64_t> keyAddress{"key_address"};
  Halide::Expr rows; ///< count rounded up to whole register blocks
  Halide::Var column{"column"}, row{"row"}, lane{"lane"}, panel{"panel"}, inner{"inner"},
      block{"block"}, blockRow{"block_row"};
  Halide::Func score{"s"}, maxOut{"max_out"};

private:
  Halide::Func panelProducts();
  Halide::Func rowProducts();
  Halide::Func partialProducts(const Halide::Var &keyRow);
  Halide::Expr index(const std::string &name, const std::vector<Halide::Var> &over,
                     const Halide::Expr &value);
  RegionLeaves regionLeaves(const Halide::Expr &scaled);

  const ScoringSpec &spec;
  std::vector<Halide::ImageParam> tiles;
  Halide::Param<int32_t> count{"count"}, batch{"batch"}, head{"head"}, firstQuery{"first_query"},
      firstKey{"first_key"};
  std::vector<Halide::Param<int32_t>> scalars;
  Halide::Expr lastRow;
  std::vector<Halide::Func> indices;
};

/// Everything of a specification that its register block and depth do not say.
std::string scoringKey(const ScoringSpec &spec);

/// The arguments of a kernel: query and key, or their products, statistics of the given ranks, what
/// ScoringKernel::appendArguments lists, outputs of the given ranks but for s, the output at
/// position `stored` if there is one, of which the part of the specification decides whether it is
/// one.
std::vector<KernelArgument> scoringArguments(const ScoringSpec &spec,
                                             llvm::ArrayRef<int> statistics,
                                             llvm::ArrayRef<int> outputs,
                                             std::optional<size_t> stored);

/// The readable part of a symbol.
std::string scoringPrefix(llvm::StringRef name, const ScoringSpec &spec);

} // namespace attune::cpu

#endif
