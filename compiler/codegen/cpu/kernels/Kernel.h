//===- Kernel.h - Halide tile kernels ---------------------------*- C++ -*-===//
//
// Each operation on a dense tile is one Halide pipeline, compiled to LLVM bitcode. A specification
// says everything that the kernel depends on; equal specifications give the same symbol, so that
// candidates share kernels. Only the .cpp files of this folder include Halide.h.
//
//===----------------------------------------------------------------------===//
#ifndef ATTUNE_CODEGEN_CPU_KERNELS_KERNEL_H
#define ATTUNE_CODEGEN_CPU_KERNELS_KERNEL_H

#include "codegen/cpu/kernels/RegionProgram.h"
#include "schedules/CpuSchedule.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace attune::cpu {

enum class ElementType { F32, U8, I32, BF16, F16 };

/// "f32", "u8" ...
const char *elementName(ElementType type);

constexpr int64_t elementBytes(ElementType type) {
  constexpr int64_t bytes[] = {4, 1, 4, 2, 2};
  return bytes[static_cast<int>(type)];
}

/// The instruction set a kernel is generated for, in Halide's terms.
struct KernelTarget {
  enum class Arch { X86_64, AArch64 } arch = Arch::X86_64;
  bool sse41 = false, avx = false, f16c = false, fma = false, avx2 = false;
  bool avx512 = false; ///< F, CD, VL, BW, DQ
  int vectorLanes = 4; ///< float32 lanes of the registers that the schedule counts in
  PairProducts pairProducts = PairProducts::None; ///< how bfloat16 is multiplied
};

// THE KERNELS
// Buffers are named outermost dimension first, as memrefs; the innermost stride is always 1, other
// strides are run-time values unless "dense" is said. The host pointers of f32 buffers are aligned
// to 4 bytes only, those of dense buffers to 64. Arguments come in the order listed.

/// Fills one dense row: (f32 value, out[length]); length is a run-time extent.
struct FillSpec {};

/// Transposes rows into one dense f32 panel, zero beyond `count` rows:
///   panel[d][c] = c < count ? in[c][d] : 0
/// (in[count][depth], i32 count, panel[depth][panelWidth] dense); depth is a run-time extent.
struct PackPanelSpec {
  int panelWidth = 0; ///< a multiple of the lanes
  ElementType type = ElementType::F32;
};

/// Copies rows, padding columns with zero:  out[r][c] = c < columns ? in[r][c] : 0
/// (in[rows][columns], [padding[rows] if padded,] i32 columns, out[rows][paddedColumns]); rows,
/// columns and paddedColumns (extent of out) are run-time values. Nothing is read beyond
/// in[rows][columns]. With `padding`, the type of the elements that say which keys are hidden (u8:
/// not 0; floats: -inf), a hidden row becomes zero whatever `in` holds. Floats are converted from
/// the type of `in` to that of `out`.
struct PackRowsSpec {
  ElementType type = ElementType::F32;
  ElementType outType = ElementType::F32;
  std::optional<ElementType> padding = std::nullopt;
};

/// Packs bfloat16 in pairs that follow each other along the depth, an i32 each with the earlier one
/// in its lower half. Zero where there is no element. Floats are rounded to nearest.
/// panel:  pairs[k][c] = {in[c][2k], in[c][2k + 1]}
///   (in[count][depth], i32 count, pairs[...][width] dense)
/// rows:   pairs[k][c] = {in[2k][c], in[2k + 1][c]}
///   (in[count][columns], [padding[count] if padded,] pairs[...][paddedColumns])
/// All sizes are extents; width and paddedColumns are multiples of 16, as are the pairs of a panel.
/// Rows that `padding` hides, as that of PackRowsSpec does, become zero.
struct PackPairsSpec {
  ElementType type = ElementType::F32; ///< F32 or BF16
  bool panel = false;
  std::optional<ElementType> padding = std::nullopt; ///< rows only
};

/// A tile operand of a region: [R][C], or one row [1][C] that serves every query row.
struct RegionTile {
  ElementType type = ElementType::F32;
  bool oneRow = false;
};

/// The stages of a scoring kernel that a kernel has: all of them, or, where time is taken stage by
/// stage, those before or from the row maxima. The latter two run one after the other do what the
/// whole does, in the same loops.
enum class ScoringPart { Whole, Products, Softmax };

/// What a query tile scores against a key tile:
///   t = dot * scale; score region; where keep is false: -inf
/// Arguments of both kernels that do so:
/// (query[count][depth], key[panels][depth][keyPanel] dense, max_in[R], ..., tile operands,
///  i32 count, i32 panels, i32 batch, i32 head, i32 first_query, i32 first_key, i32 scalar
///  operands,
///  ...)
/// With keyRows the keys are plain rows, key[keys][depth] of a run-time stride, which are read
/// where they lie: those at or beyond `keys`, the extent of the buffer, as row keys - 1. The block
/// has one row then, and its columns are as many products side by side, added up lane by lane. The
/// address of the keys follows the scalar operands: keys are fetched into the second-level cache
/// before they are needed, also those that follow the tile. R = count rounded up to whole register
/// blocks (rows); C = panels * keyPanel. Query rows and rows of tile operands beyond count are read
/// as row count - 1 (clamped); their results are meaningless but do not trap. Maxima are in units
/// of t; the maximum of a row with a visible NaN is any value of the row.
struct ScoringSpec {
  RegisterBlock block; ///< rows x vectors; keyPanel = vectors * lanes
  int64_t depth = 0;   ///< head_dim
  bool keyRows = false;
  ElementType keyType = ElementType::F32; ///< another float than F32 with keyRows alone
  /// The products q . k^T were computed by PairProducts: products[R][C], whose row stride is that
  /// of p, stands in place of query and key.
  bool hasProducts = false;
  double scale = 1;
  RegionProgram score; ///< empty: t itself
  RegionProgram keep;  ///< empty: all true
  std::vector<RegionTile> tiles;
  int scalars = 0; ///< number of i32 scalar operands
  /// Products takes the same inputs and writes s alone. Softmax takes the same inputs, then s, and
  /// writes the other outputs.
  ScoringPart part = ScoringPart::Whole;
};

/// Scores and online softmax of one query tile against one kv tile.
/// (query, key, max_in[R], sum_in[R][lanes], tile operands, i32 values of ScoringSpec,
///  p[R][C], s[R][C] (scratch), max_out[R], sum_out[R][lanes], rescale[R])
/// Dense buffers with a static row stride: p and s (tileColumns), sums (lanes). s may be the memory
/// of p: a score is read for the last time when its p is stored.
///   max_out = max(max_in, row maximum); rescale = exp2((max_in - max_out) * log2 e)
///   p = exp2((t - max_out) * log2 e), NaN stays NaN; columns that are masked give exactly 0
///   sum_out = sum_in * rescale + partial sums of p, one per lane (column modulo lanes)
/// A row without any visible key keeps max = -inf, p = 0, rescale = 0 or 1 without NaN. With an
/// empty score region and scale > 0 the scale costs nothing:
/// exp2(fma(dot, c, -max*c)), c = scale * log2 e.
struct ScoresSpec : ScoringSpec {
  int tileColumns = 0; ///< row stride of p and s; at least C
  int exp2Degree = 6;
};

/// What a query tile scores, from products (hasProducts): s = t, which is not scaled where the
/// scale can reach the exponent.
/// (products[R][C], tile operands, i32 values of ScoringSpec, s[R][C])
/// s may be the memory of the products.
struct RegionsSpec : ScoringSpec {
  int tileColumns = 0; ///< row stride of products and s; at least C
};

/// Whether the scale of products only has to reach the exponent of a softmax.
bool reachesExponent(const ScoringSpec &spec);

/// Online softmax of scores in memory with probabilities in bfloat16, as ScoresSpec describes it,
/// of t = s * scale. The sums are those of the rounded probabilities, two columns a lane.
/// (s[R][C], max_in[R], sum_in[R][lanes], i32 count, i32 C, [i32 visible, i32 first if limited,]
///  p[R][C], max_out[R], sum_out[R][lanes], rescale[R])
/// C is a multiple of the lanes. Rows beyond count are left out. Rows of p may begin where those of
/// s do. If limited, row r sees only the first min(visible, first + r * step) columns.
struct PairSoftmaxSpec {
  double scale = 1;
  int exp2Degree = 3;
  std::optional<int> step = std::nullopt; ///< limited: -1, 0 or 1
};

/// First pass of a softmax over whole rows: t into memory, and maxima.
/// (query, key, max_in[R], tile operands, i32 values of ScoringSpec, s[R][C], max_out[R])
/// s holds t, always scaled, -inf where hidden. Its row stride is a run-time multiple of the lanes;
/// it lies at a multiple of 64 bytes. max_out = max(max_in, row maximum).
struct LogitsSpec : ScoringSpec {};

/// Whether s is written: not where it would be the products that the kernel was given, which are
/// its memory.
bool storesScores(const LogitsSpec &spec);

/// Second pass of a softmax over whole rows, not normalised, in place:
///   p = exp2((t - max) * scale * log2 e), NaN stays NaN, -inf gives 0; a max of -inf counts as 0
/// (t[count][C], max[count], p[count][C], [rounded[count][C] bf16 if rounds,] sum[count][lanes]
///  dense)
/// p is the memory of t, as that of LogitsSpec lies; count and C, a multiple of the lanes, are
/// run-time extents of p. sum is overwritten with partial sums of p, one a lane; rows of max and
/// sum beyond count are not touched.
struct SoftmaxSpec {
  int exp2Degree = 6;
  double scale = 1;    ///< positive
  bool rounds = false; ///< stores p in bfloat16 as well
};

/// Normalises attention weights:
///   out[r][c] = (add ? out[r][c] : 0) + (c < visited ? p[r][c] / sum(sums[r][:]) : 0) * factor
/// (p[count][visited], sums[count][lanes] dense, [previous[count][columns], the memory of out, if
///  add,] i32 visited, out[count][columns])
/// count and columns are run-time extents of out; 0 <= visited <= columns. A row with sum 0 (fully
/// masked) contributes 0 to all columns if zeroMaskedRows, else NaN.
struct EmitWeightsSpec {
  bool add = false;
  bool zeroMaskedRows = true;
  double factor = 1;
  ElementType outType = ElementType::F32; ///< F32 if add
};

/// The range of keys that key padding leaves: (padding[count], range[2] i32). Elements hide as
/// those of PackRowsSpec. range[0] is the first visible key, range[1] one past the last; 0 and 0
/// without any, also with count 0. count is a run-time extent.
struct KeyRangeSpec {
  ElementType type = ElementType::U8;
};

/// What a tile of a bool mask hides: (mask[rows][columns] u8, out[2] i32)
/// out[0] is 1 if some element is zero (visible), out[1] is 1 if every element is; else 0. rows and
/// columns are run-time extents, the row stride a run-time value.
struct ClassifySpec {};

/// acc = acc * rescale + a . b, in place.
/// (a[count][depth], b[depth][columns], [rescale[R] if rescaled,] [acc_in[R][columns] dense unless
///  fresh,] i32 count, i32 depth, acc_out[R][columns] dense)
/// acc_in and acc_out are the same memory; a fresh accumulator starts with zeros. R = count rounded
/// up to whole register blocks; rows of `a` beyond count are read as row count - 1. depth is a
/// run-time value, 0 included. The row stride of b is `columns` if bDense, else a run-time value.
/// With aColumns, the static row stride of `a`, `a` has R rows, all of which are read without
/// clamping; beyond count they may hold anything.
///
/// With prefetchNext (bDense only) the kernel also fetches what follows b in memory into the
/// second-level cache, as much as it reads of b, spread evenly over all its row blocks: a weight
/// panel comes from memory once, much slower than the product of one row block needs it, but the
/// row blocks of the panel before leave time enough.
///
/// With fetchAhead (and aColumns) it also fetches what its caller reads later. Behind depth come
/// (i32 plan[jobs][3], i32 first_job, i32 first_row, i32 spread, address of a): job j is an address
/// (two halves) of a line in the first of many rows, 0 for none, and the stride of rows in bytes.
/// Row block b at depth k fetches the line of job (first_job + b) / spread, if there is one, in row
/// first_row + k where (k + b + first_job) % spread = 0, and else what it reads anyway; spread is a
/// power of two.
struct AccumulateSpec {
  RegisterBlock block;
  int64_t columns = 0; ///< a multiple of block.vectors * lanes
  bool rescaled = false;
  bool bDense = true;
  bool prefetchNext = false;
  bool fetchAhead = false;
  bool fresh = false; ///< not with rescaled
  int aColumns = 0;   ///< static row stride of `a`, which then has R rows; 0: a run-time stride
};

/// Products of bfloat16 with sums in float32, where b lies in pairs (PackPairsSpec):
///   c[r][p * width + j] = start + sum over k of a[r][k] * b[p][k / 2][j][k % 2]
///   start: 0 if Fresh, c if Added, c * rescale[r] if Rescaled
/// (a[R][depth] bf16, b[panels][pairs][width] i32 or, without panels, b[pairs][width],
///  [rescale[R] if Rescaled,] i32 count, i32 depth, [i32 panels,] c[R][...])
/// R = count rounded up to whole register blocks, or to 16 with tiles: so many rows of `a` and c
/// are there, and beyond count hold anything. With tiles the depth counts up to the next multiple
/// of 32: `a` and b are there, and one of them is zero where the other is finite. Subnormal numbers
/// count as zero.
struct PairProductsSpec {
  enum class Start { Fresh, Added, Rescaled } start = Start::Fresh;
  RegisterBlock block; ///< of vectors; tiles have blocks of their own
  int64_t width = 0;   ///< a multiple of block.vectors * lanes
  bool panels = false;
  bool prefetchNext = false; ///< tiles fetch the panel behind b into the second-level cache
};

/// acc = acc * rescale + a . b for a few rows, in place, where b is read once: as many rows of b as
/// make a group go into all rows of the accumulator before the next.
/// (a[count][depth], b[depth][columns], rescale[count], acc_in[count][columns] dense, i32 count,
///  i32 depth, the address of b, acc_out[count][columns] dense)
/// acc_in and acc_out are the same memory; depth is a run-time value, 0 included. Row strides of
/// `a` and b are run-time values. Nothing beyond b[depth][columns] is read, but lines are fetched.
struct AccumulateRowsSpec {
  int64_t columns = 0;
  ElementType bType = ElementType::F32;
};

/// Keeps what one part of the keys gave: partial[r][c] = acc[r][c], stats[r] = {max[r],
/// sum(sums[r][:])}.
/// (acc[count][columns] dense, max[count], sums[count][lanes] dense, i32 count,
///  partial[count][columns], stats[count][2])
struct SaveSpec {
  int64_t columns = 0;
};

/// Merges the parts of all keys, in their order:
///   max_out = max over parts; f[p] = exp2((max[p] - max_out) * log2 e), 0 for a part without keys
///   acc = sum over p of f[p] * partial[p]; sum_out[r][0] likewise, its other lanes 0
/// (partial[parts][count][columns], stats[parts][count][2], i32 parts, i32 count,
///  acc[count][columns] dense, max_out[count], sum_out[count][lanes] dense)
/// Without parts: that of no key.
struct MergeSpec {
  int64_t columns = 0;
};

/// Normalises an accumulator: out[r][c] = acc[r][c] / sum(sums[r][:])
/// (acc[R][paddedColumns] dense, sums[R][lanes] dense, i32 count, out[count][columns])
/// A row with sum 0 (fully masked) gives 0 if zeroMaskedRows, else NaN.
struct FinishSpec {
  int64_t columns = 0;
  int64_t paddedColumns = 0;
  bool zeroMaskedRows = true;
  ElementType outType = ElementType::F32;
};

/// Stores an accumulator: out[r][c] = acc[r][c] (+ bias[c])
/// (acc[R][paddedColumns] dense, [bias[paddedColumns] dense if biased,] out[rows][columns]);
/// rows and columns are run-time extents of out.
struct EmitSpec {
  int64_t paddedColumns = 0;
  bool biased = false;
  ElementType outType = ElementType::F32;
};

/// Stores a part of an accumulator as attention reads it: element(key + r, c) = acc[r][c] (+
/// bias[c]) for r < count, c < columns; else zero
/// panels of panelWidth:  out[p][k][j] = element(p * panelWidth + j, k), keys from `key` up to
/// `end`, the whole depth of out
/// rows (panelWidth 0):   out[r][c] = element(key + r, c), all rows and columns of out
/// (acc[count][columns], [bias[columns] if biased,] [i32 key, i32 end, if panels,]
///  out[panels][depth][panelWidth] or out[rows][outColumns])
/// count and columns are run-time extents; panelWidth is a multiple of the lanes.
struct EmitPackedSpec {
  bool biased = false;
  int64_t panelWidth = 0;
};

/// Stores a part of an accumulator in pairs (PackPairsSpec), as float32 rounded to nearest:
///   element(key + r, c) = acc[r][c] (+ bias[c]) for r < count, c < columns; else zero
/// panel:  pairs[p][k][j] = {element(p * width + j, 2k), element(p * width + j, 2k + 1)}
/// rows:   pairs[k][c] = {element(2k, c), element(2k + 1, c)}
/// (acc[count][columns], [bias[columns] if biased,] i32 key, i32 end, pairs[panels][depth /
/// 2][width]
///  or pairs[...][outColumns])
/// Keys from `key` up to `end` are written, and the whole depth or all columns of `pairs`; of a
/// pair of rows that is not covered, the other half stays. count and columns are run-time extents,
/// count at least 1; width is a multiple of 16.
struct EmitPairsSpec {
  bool panel = false;
  bool biased = false;
};

/// One argument of a kernel's C function, in order: buffers are passed as halide_buffer_t*. An
/// Address is that of the data of buffer argument `buffer`, as u64; callers give no value for it.
struct KernelArgument {
  enum class Kind { Buffer, Int32, Float32, Address } kind;
  ElementType type = ElementType::F32; ///< buffers
  int rank = 0;                        ///< buffers
  int buffer = 0;                      ///< addresses: the position of an earlier buffer argument
};

/// The function that kernels call to prefetch: f32 NAME(f32 value, u64 address) returns its value.
/// Who links kernels defines it.
inline constexpr const char *prefetchFunction = "attune_prefetch";
/// The same with an index: i32 NAME(i32 value, u64 address).
inline constexpr const char *prefetchIndexFunction = "attune_prefetch_index";

struct Kernel {
  std::string symbol; ///< int symbol(arguments...); always returns 0
  std::vector<KernelArgument> arguments;
  std::string bitcode;
};

/// The symbol and arguments of a kernel without generating it: cheap.
template <typename Spec> Kernel describeKernel(const Spec &spec, const KernelTarget &target);
/// Generates a kernel: description plus bitcode. Fails when Halide refuses the specification.
template <typename Spec>
llvm::Expected<Kernel> generateKernel(const Spec &spec, const KernelTarget &target);

#define ATTUNE_KERNEL_SPECS(X)                                                                     \
  X(Fill)                                                                                          \
  X(PackPanel)                                                                                     \
  X(PackRows)                                                                                      \
  X(Scores)                                                                                        \
  X(Logits)                                                                                        \
  X(Softmax)                                                                                       \
  X(EmitWeights)                                                                                   \
  X(PackPairs)                                                                                     \
  X(EmitPairs)                                                                                     \
  X(EmitPacked)                                                                                    \
  X(PairProducts)                                                                                  \
  X(KeyRange) X(Classify) X(Accumulate) X(Finish) X(Emit) X(AccumulateRows) X(Save) X(Merge)
#define ATTUNE_DECLARE_KERNEL(NAME)                                                                \
  template <> Kernel describeKernel(const NAME##Spec &spec, const KernelTarget &target);           \
  template <>                                                                                      \
  llvm::Expected<Kernel> generateKernel(const NAME##Spec &spec, const KernelTarget &target);
ATTUNE_KERNEL_SPECS(ATTUNE_DECLARE_KERNEL)
#undef ATTUNE_DECLARE_KERNEL

} // namespace attune::cpu

#endif
