//===- ExplainKernels.cpp - The kernels of a module in words --------------===//
#include "pipeline/ExplainKernels.h"

#include "llvm/Support/FormatVariadic.h"

using namespace llvm;

namespace attune {

namespace {
std::string text(const RegisterBlock &block) {
  return formatv("register block {0} rows x {1} vectors", block.rows, block.vectors);
}

/// What a scoring kernel runs on each score.
std::string regions(const cpu::ScoringSpec &spec) {
  std::string result = spec.score.empty() ? "" : ", score region";
  if (!spec.keep.empty())
    result += ", keep region";
  if (!spec.tiles.empty())
    result += formatv(", reads {0} mask tile(s)", spec.tiles.size());
  return result;
}

/// One overload for each specification.
struct Describe {
  std::string operator()(const cpu::FillSpec &) const { return "fills scratch"; }
  std::string operator()(const cpu::PackPanelSpec &spec) const {
    return formatv("transposes rows into panels of {0}", spec.panelWidth);
  }
  std::string operator()(const cpu::PackRowsSpec &spec) const {
    return spec.padding ? "copies rows, zeros where a key is padded" : "copies rows";
  }
  std::string operator()(const cpu::PackPairsSpec &spec) const {
    return formatv("packs pairs of bfloat16 {0}", spec.panel ? "into panels" : "of rows");
  }
  std::string operator()(const cpu::PairProductsSpec &spec) const {
    const char *product = spec.panels         ? "products of queries and keys"
                          : spec.prefetchNext ? "product with a weight panel"
                                              : "product with values";
    return formatv("{0} in pairs of bfloat16, {1} columns", product, spec.width);
  }
  std::string operator()(const cpu::KeyRangeSpec &) const {
    return "finds the keys that padding leaves visible";
  }
  std::string operator()(const cpu::ClassifySpec &) const {
    return "finds whether a tile of a bool mask is hidden, visible or mixed";
  }
  std::string operator()(const cpu::ScoresSpec &spec) const {
    return formatv("scores and online softmax, depth {0}, {1}, exp2 degree {2}{3}{4}", spec.depth,
                   text(spec.block), spec.exp2Degree, spec.keyRows ? ", keys where they lie" : "",
                   regions(spec));
  }
  std::string operator()(const cpu::RegionsSpec &spec) const {
    return formatv("scores of products{0}", regions(spec));
  }
  std::string operator()(const cpu::PairSoftmaxSpec &spec) const {
    return formatv("online softmax of scores, probabilities in bfloat16, exp2 degree {0}{1}",
                   spec.exp2Degree,
                   !spec.step    ? ""
                   : !*spec.step ? ", as far as the keys go"
                                 : ", each row up to its own last key");
  }
  std::string operator()(const cpu::LogitsSpec &spec) const {
    if (spec.hasProducts)
      return formatv("maxima of products, {0}{1}", text(spec.block), regions(spec));
    return formatv("scores into memory, depth {0}, {1}{2}", spec.depth, text(spec.block),
                   regions(spec));
  }
  std::string operator()(const cpu::SoftmaxSpec &spec) const {
    return formatv("exponentials and sums of whole rows, exp2 degree {0}{1}", spec.exp2Degree,
                   spec.rounds ? ", with a copy in bfloat16" : "");
  }
  std::string operator()(const cpu::AccumulateSpec &spec) const {
    return formatv("{0}, {1} columns, {2}",
                   spec.prefetchNext ? "product with a weight panel" : "product with values",
                   spec.columns, text(spec.block));
  }
  std::string operator()(const cpu::AccumulateRowsSpec &spec) const {
    return formatv("product of few rows with values where they lie, {0} columns", spec.columns);
  }
  std::string operator()(const cpu::SaveSpec &) const { return "keeps the result of a kv split"; }
  std::string operator()(const cpu::MergeSpec &) const { return "merges kv splits in their order"; }
  std::string operator()(const cpu::FinishSpec &) const { return "normalises and stores rows"; }
  std::string operator()(const cpu::EmitWeightsSpec &spec) const {
    return spec.add ? "adds attention weights to their mean" : "stores attention weights";
  }
  std::string operator()(const cpu::EmitSpec &spec) const {
    return spec.biased ? "adds the bias and stores rows" : "stores rows";
  }
  std::string operator()(const cpu::EmitPairsSpec &spec) const {
    return formatv("{0} pairs of bfloat16 {1}", spec.biased ? "adds the bias and stores" : "stores",
                   spec.panel ? "into panels" : "of rows");
  }
  std::string operator()(const cpu::EmitPackedSpec &spec) const {
    return formatv("{0} {1}", spec.biased ? "adds the bias and stores" : "stores",
                   spec.panelWidth > 0 ? "keys into panels" : "values head by head");
  }
};
} // namespace

std::vector<ExplainedItem> explainKernels(const cpu::KernelSet &kernels) {
  std::vector<ExplainedItem> items;
  for (const auto &[symbol, spec] : kernels)
    items.push_back({symbol, std::visit(Describe(), spec)});
  return items;
}

} // namespace attune
