//===- CpuSchedule.h - How attention is cut into tiles on a CPU -*- C++ -*-===//
//
// A schedule is plain data: code generators read it and never decide. This folder knows nothing of
// MLIR, LLVM or Halide.
//
//===----------------------------------------------------------------------===//
#ifndef ATTUNE_SCHEDULES_CPUSCHEDULE_H
#define ATTUNE_SCHEDULES_CPUSCHEDULE_H

#include <cstdint>
#include <string>

namespace attune {

/// How bfloat16 numbers are multiplied in pairs that are added up in float32.
enum class PairProducts {
  None,    ///< they are converted to float32
  Vectors, ///< by vectors: vdpbf16ps of AVX512_BF16
  Tiles    ///< by tiles of 16 x 32 and 32 x 16: tdpbf16ps of AMX
};
/// Rows, and depth, of a tile.
inline constexpr int pairTileRows = 16, pairTileDepth = 32;

/// What a schedule needs to know of the processor it is made for.
struct CpuTraits {
  int vectorLanes = 8;        ///< float32 lanes of a vector register: 4, 8 or 16
  int vectorRegisters = 16;   ///< 16 or 32
  int64_t l1Bytes = 32 << 10; ///< data cache of one core
  int64_t l2Bytes = 1 << 20;  ///< second-level cache of one core
  /// None for code that multiplies float32, whatever the processor can.
  PairProducts pairProducts = PairProducts::None;
};

/// What a schedule needs to know of the configuration.
struct ScheduleProblem {
  bool hasProjections = true; ///< op multihead_attention
  int64_t embedDim = 0;       ///< 0 without projections
  int64_t headDim = 0;
  bool is16Bit = false; ///< tensors are bfloat16 or float16; sums are float32 all the same
};

/// The most rows of a register block: each needs a pointer in a general register.
inline constexpr int maxBlockRows = 12;

/// Accumulators of a tile kernel that stay in registers: rows x (vectors * lanes) elements.
struct RegisterBlock {
  int rows = 0;
  int vectors = 0;
};

enum class PackValue {
  AsIs,   ///< read value rows where they lie (head_dim must be whole vectors)
  PerHead ///< copy value rows into dense, vector-padded panels once a head
};

/// The schedule of one attention module for a CPU. Units are elements unless a name says otherwise.
struct CpuSchedule {
  int queryTile = 0;    ///< query rows of a tile; a multiple of scores.rows and values.rows
  int kvTile = 0;       ///< keys of a tile; a multiple of keyPanel()
  RegisterBlock scores; ///< query x key tile
  RegisterBlock values; ///< probabilities x value tile
  PackValue packValue = PackValue::PerHead;
  RegisterBlock projection; ///< projection GEMM
  int projectionRows = 0;   ///< rows of a projection tile; a multiple of projection.rows
  int projectionDepth = 0;  ///< depth block of a projection
  int weightPanel = 0;      ///< columns of a packed weight panel; whole projection blocks
  int exp2Degree = 6;       ///< degree of the exp2 polynomial, 3..7
  int grain = 1;            ///< tiles a worker takes at a time
  /// A worker takes whole heads, which it packs into its own slot, where there are at least so many
  /// for each further worker; else tiles, after all heads were packed.
  int headsPerWorker = 8;
  /// With at most so many query rows attention reads keys and values once, where they lie, and
  /// divides them among the workers; 0: never.
  int fewRows = 0;
  int splitKeys = 0; ///< keys of one of those parts; whole kv tiles
  struct Provenance {
    std::string source = "default"; ///< "default", or the file it was read from
    std::string machine;            ///< CPU it was measured on
    std::string date;               ///< ISO date of the measurement
    std::string measured;           ///< the figure, for example "151 GFLOP/s, core_d64"
  } provenance;

  /// Keys of one packed key panel ([depth][keyPanel] in memory).
  int keyPanel(const CpuTraits &cpu) const { return scores.vectors * cpu.vectorLanes; }
  /// Vectors of keys that a row scores side by side where they lie. Each key has an accumulator,
  /// and 8 of them hide the latency of an FMA; the kv tile is whole groups.
  int keyGroupVectors(int vectorLanes) const {
    return vectorLanes < 8 && kvTile % (2 * vectorLanes) == 0 ? 2 : 1;
  }
  /// Columns of the register block of projections.
  int projectionColumns(const CpuTraits &cpu) const { return projection.vectors * cpu.vectorLanes; }
  /// Query tiles and projection tiles are multiples of so many rows: whole register blocks, and
  /// whole tiles of pairs.
  int64_t queryUnit(const CpuTraits &cpu) const;
  int64_t projectionUnit(const CpuTraits &cpu) const;
  /// head_dim padded to whole register blocks of the value kernel.
  int64_t paddedHeadDim(const CpuTraits &cpu, int64_t headDim) const;
};

/// Checks one schedule against a problem and a CPU: register blocks fit the register file with
/// their operands, tiles divide, footprints hold. Returns "" when legal, else what is wrong, naming
/// the field, its value and what would be right.
std::string checkSchedule(const CpuSchedule &schedule, const ScheduleProblem &problem,
                          const CpuTraits &cpu);

/// The default schedule: a pure function of problem and CPU, always legal. The kv tile is 128
/// (1024 for AMX tiles) or the next whole number of panels, halved while a K tile exceeds a quarter
/// of L2; the query tile is the largest multiple of the register blocks whose queries, accumulators
/// and probabilities stay within half of L1, but 24 or 48 to 96 rows, within half of L2 (at least
/// one block).
CpuSchedule defaultSchedule(const ScheduleProblem &problem, const CpuTraits &cpu);

/// For code that shares packed weights with that of other processors: makes the projection block
/// one whose columns divide `panel`, if there is one, and keeps a block that does.
void fitWeightPanel(CpuSchedule &schedule, int panel, const CpuTraits &cpu);

/// JSON form, as in the files under schedules/. Reading is strict: unknown, duplicate and missing
/// keys and wrong types are errors; it sets provenance.source to the file's name and does not check
/// legality. On failure returns false, leaves the schedule alone and sets `error`.
std::string toJson(const CpuSchedule &schedule);
bool parseSchedule(const std::string &text, const std::string &fileName, CpuSchedule &schedule,
                   std::string &error);

} // namespace attune

#endif
