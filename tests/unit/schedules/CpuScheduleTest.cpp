//===- CpuScheduleTest.cpp - Defaults and legality ------------------------===//
#include "schedules/CpuSchedule.h"
#include <algorithm>
#include <gtest/gtest.h>
#include <numeric>

using namespace attune;

namespace {

const CpuTraits avx512{.vectorLanes = 16, .vectorRegisters = 32};
const CpuTraits avx2{.vectorLanes = 8, .vectorRegisters = 16};
const CpuTraits neon{.vectorLanes = 4, .vectorRegisters = 32};

std::string describe(const CpuTraits &cpu, const ScheduleProblem &problem) {
  return "lanes " + std::to_string(cpu.vectorLanes) + " registers " +
         std::to_string(cpu.vectorRegisters) + " L1 " + std::to_string(cpu.l1Bytes) + " L2 " +
         std::to_string(cpu.l2Bytes) + " head_dim " + std::to_string(problem.headDim) +
         " embed_dim " + std::to_string(problem.embedDim);
}

/// Every shape of processor that the defaults know, with small and large caches.
std::vector<CpuTraits> allTraits() {
  std::vector<CpuTraits> all;
  for (int lanes : {4, 8, 16})
    for (int registers : {16, 32})
      for (int64_t l1 : {16 << 10, 32 << 10, 64 << 10})
        for (int64_t l2 : {128 << 10, 256 << 10, 1 << 20, 4 << 20})
          all.push_back({lanes, registers, l1, l2});
  return all;
}

TEST(DefaultSchedule, IsLegalForEveryHeadDim) {
  for (const CpuTraits &cpu : allTraits())
    for (int64_t headDim = 1; headDim <= 1024; ++headDim)
      for (bool projections : {false, true}) {
        ScheduleProblem problem{projections, projections ? headDim * 12 : 0, headDim};
        CpuSchedule schedule = defaultSchedule(problem, cpu);
        ASSERT_EQ(checkSchedule(schedule, problem, cpu), "") << describe(cpu, problem);
      }
}

TEST(DefaultSchedule, IsLegalForEveryWidthOfAModule) {
  // One head of a module may be as wide as embed_dim may be.
  for (const CpuTraits &cpu : allTraits())
    for (int64_t embedDim : {1, 2, 3, 31, 768, 1025, 2560, 4099, 65536, 1 << 20})
      for (int64_t headDim : {int64_t(1), embedDim}) {
        ScheduleProblem problem{true, embedDim, headDim};
        CpuSchedule schedule = defaultSchedule(problem, cpu);
        ASSERT_EQ(checkSchedule(schedule, problem, cpu), "") << describe(cpu, problem);
      }
}

TEST(DefaultSchedule, KeepsEnoughAccumulatorsAndRows) {
  for (const CpuTraits &cpu : allTraits())
    for (int64_t headDim = 1; headDim <= 1024; ++headDim) {
      ScheduleProblem problem{false, 0, headDim};
      CpuSchedule s = defaultSchedule(problem, cpu);
      for (const RegisterBlock &block : {s.scores, s.values, s.projection})
        ASSERT_GE(block.rows * block.vectors, 8) << describe(cpu, problem);
      ASSERT_LE(s.queryTile, std::max(96, std::lcm(s.scores.rows, s.values.rows)));
      if (cpu.l2Bytes >= 1 << 20)
        ASSERT_GE(s.queryTile, 18) << describe(cpu, problem);
    }
}

TEST(DefaultSchedule, WastesLittleOnPadding) {
  for (const CpuTraits &cpu : {avx512, avx2, neon})
    for (int64_t headDim = 1; headDim <= 1024; ++headDim) {
      CpuSchedule s = defaultSchedule({false, 0, headDim}, cpu);
      int64_t whole = (headDim + cpu.vectorLanes - 1) / cpu.vectorLanes * cpu.vectorLanes;
      ASSERT_LE(s.paddedHeadDim(cpu, headDim) * 10, whole * 12) << headDim;
    }
}

struct KnownBlock {
  CpuTraits cpu;
  int64_t headDim;
  int rows, vectors;
  int64_t padded;
};

TEST(DefaultSchedule, ValueBlocks) {
  const KnownBlock known[] = {
      {avx512, 16, 12, 1, 16},  {avx512, 32, 12, 2, 32},  {avx512, 48, 9, 3, 48},
      {avx512, 64, 6, 4, 64},   {avx512, 80, 5, 5, 80},   {avx512, 96, 4, 6, 96},
      {avx512, 128, 6, 4, 128}, {avx512, 256, 6, 4, 256}, {avx512, 1, 12, 1, 16},
      {avx512, 176, 6, 4, 192}, {avx2, 64, 6, 2, 64},     {avx2, 24, 4, 3, 24},
      {avx2, 128, 6, 2, 128},   {neon, 4, 12, 1, 4},      {neon, 64, 6, 4, 64},
      {neon, 9, 9, 3, 12},      {neon, 128, 6, 4, 128},
  };
  for (const KnownBlock &row : known) {
    CpuSchedule s = defaultSchedule({false, 0, row.headDim}, row.cpu);
    EXPECT_EQ(s.values.rows, row.rows) << row.headDim;
    EXPECT_EQ(s.values.vectors, row.vectors) << row.headDim;
    EXPECT_EQ(s.paddedHeadDim(row.cpu, row.headDim), row.padded);
  }
}

TEST(DefaultSchedule, ScoreBlocks) {
  struct {
    CpuTraits cpu;
    int rows, vectors;
  } known[] = {{avx512, 6, 4}, {avx2, 6, 2}, {neon, 6, 3}, {{.vectorLanes = 4}, 6, 2}};
  for (const auto &row : known) {
    CpuSchedule s = defaultSchedule({false, 0, 64}, row.cpu);
    EXPECT_EQ(s.scores.rows, row.rows) << row.cpu.vectorLanes;
    EXPECT_EQ(s.scores.vectors, row.vectors) << row.cpu.vectorLanes;
  }
}

TEST(DefaultSchedule, KnownTiles) {
  CpuSchedule core = defaultSchedule({false, 0, 64}, avx512);
  EXPECT_EQ(core.queryTile, 24);
  EXPECT_EQ(core.kvTile, 128);
  EXPECT_EQ(core.keyPanel(avx512), 64);
  EXPECT_EQ(core.packValue, PackValue::AsIs);
  EXPECT_EQ(defaultSchedule({false, 0, 128}, avx512).packValue, PackValue::PerHead);
  EXPECT_EQ(defaultSchedule({false, 0, 80}, avx512).queryTile, 30);
  EXPECT_EQ(defaultSchedule({false, 0, 128}, avx512).queryTile, 48);
  EXPECT_EQ(defaultSchedule({false, 0, 256}, avx512).queryTile, 48);
  CpuTraits largeL2 = avx512;
  largeL2.l2Bytes = 4 << 20;
  EXPECT_EQ(defaultSchedule({false, 0, 128}, largeL2).queryTile, 24);
  EXPECT_EQ(defaultSchedule({false, 0, 256}, largeL2).queryTile, 48);
  EXPECT_EQ(defaultSchedule({false, 0, 512}, avx512).kvTile, 128);
  EXPECT_EQ(defaultSchedule({false, 0, 1024}, avx512).kvTile, 64);
  EXPECT_EQ(defaultSchedule({false, 0, 60}, avx512).packValue, PackValue::PerHead);
  EXPECT_EQ(core.fewRows, 8);
  EXPECT_EQ(core.splitKeys, 512);

  EXPECT_EQ(defaultSchedule({false, 0, 64}, neon).queryTile, 24);
  EXPECT_EQ(defaultSchedule({false, 0, 64}, neon).keyPanel(neon), 12);
  EXPECT_EQ(defaultSchedule({false, 0, 64}, neon).kvTile, 132);
  EXPECT_EQ(defaultSchedule({false, 0, 64}, neon).splitKeys, 528);
  EXPECT_EQ(defaultSchedule({false, 0, 1024}, neon).kvTile, 60);

  CpuSchedule module = defaultSchedule({true, 768, 64}, avx512);
  EXPECT_EQ(module.packValue, PackValue::PerHead);
  EXPECT_EQ(module.weightPanel, 48);
  EXPECT_EQ(module.projectionRows, 128);
  EXPECT_EQ(module.projectionDepth, 384); // two equal blocks
  EXPECT_EQ(defaultSchedule({true, 1024, 64}, avx512).projectionDepth, 512);
}

TEST(DefaultSchedule, AmxTilesWorkFromTheSecondLevelCache) {
  CpuTraits amx = avx512;
  amx.pairProducts = PairProducts::Tiles;
  amx.l2Bytes = 2 << 20; // of every CPU with AMX
  const CpuSchedule module = defaultSchedule({true, 1024, 64, true}, amx);
  EXPECT_EQ(module.queryTile, 96);
  EXPECT_EQ(module.kvTile, 1024);
  EXPECT_EQ(module.projectionRows, 256);
  EXPECT_EQ(module.projectionDepth, 1024);
  EXPECT_EQ(defaultSchedule({true, 2560, 256, true}, amx).projectionRows, 128);
  EXPECT_EQ(defaultSchedule({false, 0, 512, true}, amx).kvTile, 256);
}

TEST(DefaultSchedule, ProjectionsOfFewColumnsPadLittle) {
  // 64 columns are one panel of 64, but two of 48.
  const CpuSchedule schedule = defaultSchedule({true, 64, 64}, avx512);
  EXPECT_EQ(schedule.projection.rows, 6);
  EXPECT_EQ(schedule.projection.vectors, 4);
  EXPECT_EQ(schedule.projectionRows, 132);
}

TEST(DefaultSchedule, ProjectionsWithSixteenRegisters) {
  const CpuSchedule wide = defaultSchedule({true, 768, 64}, avx2);
  EXPECT_EQ(wide.projection.rows, 4);
  EXPECT_EQ(wide.projection.vectors, 3);
  EXPECT_EQ(wide.weightPanel, 24);
  EXPECT_EQ(wide.projectionRows, 128);
  EXPECT_EQ(wide.projectionDepth, 384);
  // 64 columns are 4 panels of 16, but 3 of 24.
  const CpuSchedule narrow = defaultSchedule({true, 64, 64}, avx2);
  EXPECT_EQ(narrow.projection.rows, 6);
  EXPECT_EQ(narrow.projection.vectors, 2);
}

TEST(FitWeightPanel, TakesABlockThatDividesThePanel) {
  CpuSchedule schedule = defaultSchedule({true, 768, 64}, avx2);
  fitWeightPanel(schedule, 48, avx2); // two blocks of 24
  EXPECT_EQ(schedule.projection.vectors, 3);
  fitWeightPanel(schedule, 64, avx2);
  EXPECT_EQ(schedule.projection.rows, 6);
  EXPECT_EQ(schedule.projection.vectors, 2);
  EXPECT_EQ(schedule.projectionRows, 132);
  EXPECT_EQ(schedule.projectionDepth, 384);
  fitWeightPanel(schedule, 7, avx2); // nothing divides it
  EXPECT_EQ(schedule.projection.vectors, 2);
  CpuSchedule many = defaultSchedule({true, 768, 64}, avx512);
  fitWeightPanel(many, 64, avx512); // that of AMX tiles
  EXPECT_EQ(many.projection.rows, 6);
  EXPECT_EQ(many.projection.vectors, 4);
}

struct Illegal {
  const char *name;
  void (*change)(CpuSchedule &);
  const char *message;
};

TEST(CheckSchedule, NamesWhatIsWrong) {
  const Illegal table[] = {
      {"query tile", [](CpuSchedule &s) { s.queryTile = 50; },
       "query_tile: found 50, expected a multiple of 6 (scores.rows)"},
      {"query tile of values", [](CpuSchedule &s) { s.values = {5, 4}; },
       "query_tile: found 24, expected a multiple of 5 (values.rows)"},
      {"zero", [](CpuSchedule &s) { s.queryTile = 0; }, "query_tile: found 0, expected 1 to 4096"},
      {"negative", [](CpuSchedule &s) { s.scores.rows = -6; },
       "scores.rows: found -6, expected 1 to 12"},
      {"kv tile", [](CpuSchedule &s) { s.kvTile = 96; },
       "kv_tile: found 96, expected a multiple of 64 (the key panel: scores.vectors * lanes)"},
      {"registers", [](CpuSchedule &s) { s.scores = {8, 4}; },
       "scores: found 8 rows of 4 vectors, which need 37 registers (rows * vectors + vectors + 1); "
       "the CPU has 32; expected at most 6 rows"},
      {"one row too wide", [](CpuSchedule &s) { s.values = {1, 20}; },
       "values: found 1 rows of 20 vectors, which need 41 registers (rows * vectors + vectors + "
       "1); "
       "the CPU has 32; expected fewer vectors"},
      {"row pointers", [](CpuSchedule &s) { s.values = {14, 1}; },
       "values.rows: found 14, expected 1 to 12"},
      {"degree", [](CpuSchedule &s) { s.exp2Degree = 8; }, "exp2_degree: found 8, expected 3 to 7"},
      {"grain", [](CpuSchedule &s) { s.grain = 0; }, "grain: found 0, expected 1 to 65536"},
      {"heads per worker", [](CpuSchedule &s) { s.headsPerWorker = -1; },
       "heads_per_worker: found -1, expected 0 to 65536"},
      {"few rows", [](CpuSchedule &s) { s.fewRows = 65; }, "few_rows: found 65, expected 0 to 64"},
      {"split keys", [](CpuSchedule &s) { s.splitKeys = 0; },
       "split_keys: found 0, expected 1 to 1048576"},
      {"split of tiles", [](CpuSchedule &s) { s.splitKeys = 192; },
       "split_keys: found 192, expected a multiple of 128 (kv_tile)"},
      {"projection rows", [](CpuSchedule &s) { s.projectionRows = 100; },
       "projection_rows: found 100, expected a multiple of 8 (projection.rows)"},
      {"weight panel", [](CpuSchedule &s) { s.weightPanel = 64; },
       "weight_panel: found 64, expected a multiple of 48 (projection.vectors * lanes)"},
      {"as is with padding", [](CpuSchedule &s) { s.values = {5, 5}, s.queryTile = 30; },
       "pack_value: found \"as_is\", expected \"per_head\" because head_dim (64) is padded to 80"},
      {"keys beyond L2", [](CpuSchedule &s) { s.kvTile = s.splitKeys = 8192; },
       "kv_tile: found 8192, expected fewer keys: they take 2097152 bytes, L2 has 1048576"},
      {"queries beyond L2", [](CpuSchedule &s) { s.queryTile = 4080; },
       "query_tile: found 4080, expected fewer rows: they take 6266880 bytes, L2 has 1048576"},
  };
  ScheduleProblem problem{false, 0, 64};
  for (const Illegal &row : table) {
    CpuSchedule schedule = defaultSchedule(problem, avx512);
    row.change(schedule);
    EXPECT_EQ(checkSchedule(schedule, problem, avx512), row.message) << row.name;
  }
}

TEST(CheckSchedule, ChecksProblemAndCpu) {
  CpuSchedule schedule = defaultSchedule({false, 0, 64}, avx512);
  EXPECT_EQ(checkSchedule(schedule, {false, 0, 0}, avx512),
            "head_dim: found 0, expected 1 to 1048576");
  EXPECT_EQ(checkSchedule(schedule, {true, 0, 64}, avx512),
            "embed_dim: found 0, expected at least 1");
  EXPECT_EQ(checkSchedule(schedule, {true, 64, 64}, avx512),
            "pack_value: found \"as_is\", expected \"per_head\" where there are projections");
  EXPECT_EQ(checkSchedule(schedule, {false, 0, 64}, {.vectorLanes = 5, .vectorRegisters = 32}),
            "vector_lanes: found 5, expected 4, 8 or 16");
}

} // namespace
