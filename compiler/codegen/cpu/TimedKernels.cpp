//===- TimedKernels.cpp - Kernels between two readings of a clock ---------===//
#include "codegen/cpu/TimedKernels.h"

#include "llvm/ADT/STLExtras.h"
#include <numeric>

namespace attune::cpu {

namespace {
/// Finds parts, phase and work of a kernel; one overload for each specification.
class WorkDescriber {
public:
  explicit WorkDescriber(const KernelTarget &target) : target(target) {}

  template <typename Spec> std::vector<TimedKernel> operator()(const Spec &spec) {
    whole = describeKernel(spec, target);
    std::vector<TimedKernel> parts = describe(spec);
    for (TimedKernel &part : parts)
      part.symbol = std::visit(
          [&](const auto &known) { return describeKernel(known, target).symbol; }, part.spec);
    return parts;
  }

private:
  std::vector<TimedKernel> describe(const FillSpec &spec) {
    return one(spec, WorkPhase::Other, {}, {buffer(1)});
  }

  std::vector<TimedKernel> describe(const PackPanelSpec &spec) {
    return one(spec, WorkPhase::Packing, {}, {buffer(0), buffer(2)});
  }

  /// Rows of bytes are those of a mask tile.
  std::vector<TimedKernel> describe(const PackRowsSpec &spec) {
    Work bytes;
    for (auto [position, argument] : llvm::enumerate(whole.arguments))
      if (argument.kind == KernelArgument::Kind::Buffer)
        bytes.push_back(buffer(position));
    const bool isMask = spec.type == ElementType::U8;
    return one(spec, isMask ? WorkPhase::Masks : WorkPhase::Packing, {}, bytes);
  }

  std::vector<TimedKernel> describe(const KeyRangeSpec &spec) {
    return one(spec, WorkPhase::Masks, {}, {buffer(0)});
  }

  std::vector<TimedKernel> describe(const ClassifySpec &spec) {
    return one(spec, WorkPhase::Masks, {}, {buffer(0)});
  }

  std::vector<TimedKernel> describe(const ScoresSpec &spec) {
    return scoring(spec, /*statistics=*/2, /*stored=*/1, 2 * spec.exp2Degree + 9, {});
  }

  std::vector<TimedKernel> describe(const RegionsSpec &spec) {
    return one(spec, WorkPhase::Softmax, {}, {});
  }

  std::vector<TimedKernel> describe(const PairSoftmaxSpec &spec) {
    constexpr unsigned count = 3, columns = 4;
    return one(spec, WorkPhase::Softmax, {{2 * spec.exp2Degree + 9, {{count}, {columns}}}}, {});
  }

  /// Scores go through memory, where the softmax of whole rows finds them.
  std::vector<TimedKernel> describe(const LogitsSpec &spec) {
    if (spec.hasProducts)
      return ofProducts(spec, /*statistics=*/1, 1);
    const unsigned stored = whole.arguments.size() - 2;
    return scoring(spec, /*statistics=*/1, /*stored=*/0, 1, {buffer(stored)});
  }

  /// A row is read and overwritten.
  std::vector<TimedKernel> describe(const SoftmaxSpec &spec) {
    Work flops{{2 * spec.exp2Degree + 8, buffer(0).extents}}, bytes{buffer(0), buffer(2)};
    if (spec.rounds)
      bytes.push_back(buffer(3));
    return one(spec, WorkPhase::Softmax, flops, bytes);
  }

  std::vector<TimedKernel> describe(const AccumulateSpec &spec) {
    const unsigned count = 3 + spec.rescaled - spec.fresh, depth = count + 1;
    Work flops{{2 * spec.columns, {{count, WorkExtent::kValue, spec.block.rows}, {depth}}}};
    Work bytes{{spec.columns * elementBytes(1), {{depth}}}};
    if (!spec.aColumns) // else a tile's probabilities
      bytes.push_back({elementBytes(0), {{count}, {depth}}});
    return one(spec, spec.prefetchNext ? WorkPhase::Projection : WorkPhase::Values, flops, bytes);
  }

  std::vector<TimedKernel> describe(const PackPairsSpec &spec) {
    Work bytes;
    for (auto [position, argument] : llvm::enumerate(whole.arguments))
      if (argument.kind == KernelArgument::Kind::Buffer)
        bytes.push_back(buffer(position));
    return one(spec, WorkPhase::Packing, {}, bytes);
  }

  /// Rows and depth are counted in whole blocks; `a` of values are probabilities of a tile.
  std::vector<TimedKernel> describe(const PairProductsSpec &spec) {
    const unsigned count = spec.start == PairProductsSpec::Start::Rescaled ? 3 : 2;
    const bool tiles = target.pairProducts == PairProducts::Tiles;
    WorkExtent rows{count, WorkExtent::kValue, tiles ? pairTileRows : spec.block.rows};
    WorkExtent depth{count + 1, WorkExtent::kValue, tiles ? pairTileDepth : 2};
    Work flops{{2 * spec.width, {rows, depth}}};
    Work bytes{{spec.width * 2, {depth}}};
    if (spec.panels)
      for (Work *work : {&flops, &bytes})
        work->back().extents.push_back({count + 2});
    if (spec.start != PairProductsSpec::Start::Rescaled)
      bytes.push_back({2, {{count}, {count + 1}}});
    const WorkPhase phase = spec.panels         ? WorkPhase::Scores
                            : spec.prefetchNext ? WorkPhase::Projection
                                                : WorkPhase::Values;
    return one(spec, phase, flops, bytes);
  }

  std::vector<TimedKernel> describe(const AccumulateRowsSpec &spec) {
    constexpr unsigned count = 4, depth = 5;
    return one(spec, WorkPhase::Values, {{2 * spec.columns, {{count}, {depth}}}},
               {{spec.columns * elementBytes(1), {{depth}}}});
  }

  std::vector<TimedKernel> describe(const SaveSpec &spec) {
    return one(spec, WorkPhase::Finish, {}, {buffer(4)});
  }

  std::vector<TimedKernel> describe(const MergeSpec &spec) {
    return one(spec, WorkPhase::Finish, {}, {buffer(0)});
  }

  std::vector<TimedKernel> describe(const FinishSpec &spec) {
    return one(spec, WorkPhase::Finish, {}, {buffer(3)});
  }

  std::vector<TimedKernel> describe(const EmitWeightsSpec &spec) {
    const unsigned out = whole.arguments.size() - 1;
    Work bytes{buffer(0), buffer(out)};
    if (spec.add)
      bytes.push_back(buffer(out));
    return one(spec, WorkPhase::Finish, {}, bytes);
  }

  std::vector<TimedKernel> describe(const EmitSpec &spec) {
    return one(spec, WorkPhase::Projection, {}, {buffer(spec.biased ? 2 : 1)});
  }

  /// A scoring kernel that reads products from a cache.
  template <typename Spec>
  std::vector<TimedKernel> ofProducts(const Spec &spec, unsigned statistics, int64_t flops) {
    const unsigned count = 1 + statistics + spec.tiles.size();
    const int64_t width = spec.block.vectors * target.vectorLanes;
    return one(spec, WorkPhase::Softmax,
               {{flops * width, {{count, WorkExtent::kValue, spec.block.rows}, {count + 1}}}}, {});
  }

  /// All of it: parts of the buffers are whole tiles, but for their edges.
  std::vector<TimedKernel> describe(const EmitPairsSpec &spec) {
    return one(spec, WorkPhase::Projection, {}, {{2, {{0, 0}, {0, 1}}}});
  }

  std::vector<TimedKernel> describe(const EmitPackedSpec &spec) {
    return one(spec, WorkPhase::Projection, {}, {{4, {{0, 0}, {0, 1}}}});
  }

  /// A whole scoring kernel has inputs, then outputs, of which number `stored` is s.
  template <typename Spec>
  std::vector<TimedKernel> scoring(const Spec &spec, unsigned statistics, unsigned stored,
                                   int64_t softmaxFlops, const Work &storedBytes) {
    const unsigned tile = 2 + statistics, count = tile + spec.tiles.size(), panels = count + 1;
    // The address of keys in rows follows the scalars.
    const unsigned firstOutput = count + 6 + spec.scalars + (spec.keyRows ? 1 : 0);
    const int64_t width = spec.block.vectors * target.vectorLanes;
    const std::vector<WorkExtent> block{{count, WorkExtent::kValue, spec.block.rows}, {panels}};
    TimedKernel products{{}, spec, WorkPhase::Scores, {}, {{2 * spec.depth * width, block}}, {}};
    products.bytes = storedBytes;
    products.bytes.push_back({spec.depth * elementBytes(0), {{count}}});
    products.bytes.push_back({spec.depth * width * elementBytes(1), {{panels}}});
    for (const auto &[position, operand] : llvm::enumerate(spec.tiles)) {
      products.bytes.push_back({width * elementBytes(tile + position), {{panels}}});
      if (!operand.oneRow)
        products.bytes.back().extents.push_back({count});
    }
    products.operands.resize(firstOutput);
    std::iota(products.operands.begin(), products.operands.end(), 0);
    products.operands.push_back(firstOutput + stored);
    TimedKernel softmax{{}, spec, WorkPhase::Softmax, products.operands, {}, storedBytes};
    softmax.flops = {{softmaxFlops * width, block}};
    for (unsigned k = firstOutput; k < whole.arguments.size(); ++k)
      if (k != firstOutput + stored)
        softmax.operands.push_back(k);
    std::get<Spec>(products.spec).part = ScoringPart::Products;
    std::get<Spec>(softmax.spec).part = ScoringPart::Softmax;
    return {products, softmax};
  }

  std::vector<TimedKernel> one(const KernelSpec &spec, WorkPhase phase, const Work &flops,
                               const Work &bytes) {
    TimedKernel timed{{}, spec, phase, std::vector<unsigned>(whole.arguments.size()), flops, bytes};
    std::iota(timed.operands.begin(), timed.operands.end(), 0);
    return {timed};
  }

  int64_t elementBytes(unsigned argument) const {
    return cpu::elementBytes(whole.arguments[argument].type);
  }

  /// The bytes of a whole buffer argument.
  WorkTerm buffer(unsigned argument) const {
    WorkTerm term{elementBytes(argument), {}};
    for (int dimension = 0; dimension < whole.arguments[argument].rank; ++dimension)
      term.extents.push_back({argument, dimension});
    return term;
  }

  const KernelTarget &target;
  Kernel whole;
};
} // namespace

std::vector<TimedKernel> timedKernels(const KernelSpec &spec, const KernelTarget &target) {
  return std::visit(WorkDescriber(target), spec);
}

std::vector<TimedKernel> timedKernels(const KernelSet &kernels, const KernelTarget &target) {
  std::vector<TimedKernel> all;
  for (const auto &entry : kernels)
    llvm::append_range(all, timedKernels(entry.second, target));
  return all;
}

} // namespace attune::cpu
