//===- tile_race.cpp - The same tile kernels by Halide and by linalg ------===//
//
// usage: attune_tile_race TILES.ll
//
// Compares results and times of tiles.mlir, lowered to LLVM IR, with attune's Halide kernels of the
// same sizes. Both go through the same optimiser and code generator, and FP instructions of both
// may be contracted and nothing else. tiles.mlir is written for 16 registers of 8 lanes, so the
// code is for x86-64-v3 whatever the machine has.
//
//===----------------------------------------------------------------------===//
#include "codegen/cpu/MachineCode.h"
#include "codegen/cpu/kernels/FastMath.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IRReader/IRReader.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/TargetParser/Triple.h"
#include <chrono>
#include <cmath>
#include <ctime>
#include <functional>
#include <random>

using namespace llvm;
using namespace attune;
using namespace attune::cpu;

namespace {
// As in tiles.mlir.
constexpr int kRows = 48, kKeys = 128, kDepth = 64, kPanel = 16, kPanels = kKeys / kPanel;
constexpr RegisterBlock kBlock{6, 2};
constexpr int kRounds = 300, kCalls = 20;

using Clock = std::chrono::steady_clock;
ExitOnError exitOnError("tile_race: error: ");

/// Of this process: compilation is timed so, since other work on the machine does not count then.
double cpuSeconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

/// halide_buffer_t of HalideRuntime.h for dense float32 memory.
struct HalideBuffer {
  HalideBuffer(float *data, std::initializer_list<int> outermostFirst)
      : host(data), rank(static_cast<int>(outermostFirst.size())) {
    int stride = 1, position = 0;
    for (auto extent = std::rbegin(outermostFirst); extent != std::rend(outermostFirst); ++extent) {
      dimensions[position++] = {0, *extent, stride, 0};
      stride *= *extent;
    }
    dim = dimensions;
  }
  HalideBuffer(const HalideBuffer &) = delete;

  struct Dimension {
    int32_t min, extent, stride, flags;
  };
  uint64_t device = 0;
  void *interface = nullptr;
  float *host;
  uint64_t flags = 0;
  uint8_t code = 2, bits = 32;
  uint16_t lanes = 1;
  int32_t rank;
  Dimension *dim;
  void *padding = nullptr;
  Dimension dimensions[3] = {};
};

/// Optimises, emits and loads a module; keeps what it defines under `exported`.
class Program {
public:
  Program(std::unique_ptr<Module> module, const TargetInfo &target,
          const std::vector<std::string> &exported) {
    const double start = cpuSeconds();
    module->setTargetTriple(Triple(target.triple));
    for (Function &function : *module) {
      function.addFnAttr("target-cpu", target.instructionSet);
      function.addFnAttr("tune-cpu", target.cpu);
      if (!target.features.empty())
        function.addFnAttr("target-features", target.features);
      function.addFnAttr("prefer-vector-width", std::to_string(target.kernels.vectorLanes * 32));
    }
    cutFastMathFlags(*module);
    exitOnError(optimize(*module, target, exported));
    auto object = exitOnError(emitMachineCode(*module, target, MachineCodeKind::Object));
    seconds = cpuSeconds() - start;
    jit = exitOnError(orc::LLJITBuilder().create());
    exitOnError(jit->addObjectFile(
        MemoryBuffer::getMemBufferCopy(StringRef(object.data(), object.size()), "tiles")));
  }
  template <typename Function> Function *find(StringRef name) {
    return exitOnError(jit->lookup(name)).toPtr<Function *>();
  }

  double seconds; ///< of optimising and code generation

private:
  std::unique_ptr<orc::LLJIT> jit;
};

/// One way to compute the stages of a tile.
struct Competitor {
  std::function<void()> scores, softmax, accumulate;
};

class Race {
public:
  explicit Race(const TargetInfo &target) : target(target) {
    std::mt19937 generator(1);
    std::uniform_real_distribution<float> uniform(-1, 1);
    for (auto *operand : {&query, &key, &value, &rescale})
      for (float &element : *operand)
        element = uniform(generator);
  }

  /// The three functions of each, in the same memory layout.
  Competitor byHalide();
  Competitor byLinalg(const char *path);

  std::vector<float> query = std::vector<float>(kRows * kDepth),
                     key = std::vector<float>(kKeys * kDepth), value = key,
                     rescale = std::vector<float>(kRows);
  // Of the functions that run; p holds scores before softmax.
  alignas(64) float p[kRows * kKeys], maxima[kRows], sums[kRows * kPanel], acc[kRows * kDepth];
  double halideSeconds = 0;
  std::vector<std::unique_ptr<Program>> programs;

private:
  template <typename Spec> std::string generate(const Spec &spec) {
    const double start = cpuSeconds();
    Kernel kernel = exitOnError(generateKernel(spec, target.kernels));
    halideSeconds += cpuSeconds() - start;
    auto module =
        exitOnError(parseBitcodeFile(MemoryBufferRef(kernel.bitcode, kernel.symbol), context));
    programs.push_back(std::make_unique<Program>(std::move(module), target,
                                                 std::vector<std::string>{kernel.symbol}));
    return kernel.symbol;
  }

  const TargetInfo &target;
  LLVMContext context;
  std::vector<std::unique_ptr<HalideBuffer>> buffers;
  float unused[kRows * kPanel] = {}, lowest[kRows], rescaleOut[kRows], sumsOut[kRows * 8];
};

Competitor Race::byHalide() {
  std::fill_n(lowest, kRows, -INFINITY);
  auto buffer = [&](float *data, std::initializer_list<int> sizes) -> void * {
    buffers.push_back(std::make_unique<HalideBuffer>(data, sizes));
    return buffers.back().get();
  };
  ScoresSpec spec;
  spec.block = kBlock;
  spec.depth = kDepth;
  spec.scale = 0.125;
  spec.tileColumns = kKeys;
  void *q = buffer(query.data(), {kRows, kDepth}),
       *k = buffer(key.data(), {kPanels, kDepth, kPanel}), *low = buffer(lowest, {kRows}),
       *zero = buffer(unused, {kRows, 8}), *tile = buffer(p, {kRows, kKeys}),
       *max = buffer(maxima, {kRows}), *sum = buffer(sumsOut, {kRows, 8}),
       *factor = buffer(rescaleOut, {kRows}), *scale = buffer(rescale.data(), {kRows}),
       *v = buffer(value.data(), {kKeys, kDepth}), *out = buffer(acc, {kRows, kDepth});
  spec.part = ScoringPart::Products;
  std::string name = generate(spec);
  auto *products =
      programs.back()
          ->find<int(void *, void *, void *, void *, int, int, int, int, int, int, void *)>(name);
  spec.part = ScoringPart::Softmax;
  name = generate(spec);
  auto *softmax = programs.back()
                      ->find<int(void *, void *, void *, void *, int, int, int, int, int, int,
                                 void *, void *, void *, void *, void *)>(name);
  AccumulateSpec product;
  product.block = kBlock;
  product.columns = kDepth;
  product.rescaled = true;
  product.aColumns = kKeys;
  name = generate(product);
  auto *accumulate =
      programs.back()->find<int(void *, void *, void *, void *, int, int, void *)>(name);
  return {
      [=] { products(q, k, low, zero, kRows, kPanels, 0, 0, 0, 0, tile); },
      [=] { softmax(q, k, low, zero, kRows, kPanels, 0, 0, 0, 0, tile, tile, max, sum, factor); },
      [=] { accumulate(tile, v, scale, out, kRows, kKeys, out); }};
}

Competitor Race::byLinalg(const char *path) {
  SMDiagnostic diagnostic;
  std::unique_ptr<Module> module = parseIRFile(path, diagnostic, context);
  if (!module)
    exitOnError(createStringError("%s: %s", path, diagnostic.getMessage().str().c_str()));
  programs.push_back(std::make_unique<Program>(
      std::move(module), target,
      std::vector<std::string>{"linalg_scores", "linalg_softmax", "linalg_accumulate"}));
  Program &program = *programs.back();
  auto *scores = program.find<void(float *, float *, float *)>("linalg_scores");
  auto *softmax = program.find<void(float *, float *, float *)>("linalg_softmax");
  auto *accumulate = program.find<void(float *, float *, float *, float *)>("linalg_accumulate");
  return {[=, this] { scores(query.data(), key.data(), p); },
          [=, this] { softmax(p, maxima, sums); },
          [=, this] { accumulate(p, value.data(), rescale.data(), acc); }};
}

/// Scores, probabilities and accumulators after one step each, one behind the other.
std::vector<float> resultsOf(Race &race, const Competitor &competitor) {
  std::fill_n(race.acc, kRows * kDepth, 1.0f);
  std::vector<float> all;
  competitor.scores();
  all.insert(all.end(), race.p, race.p + kRows * kKeys);
  competitor.softmax();
  all.insert(all.end(), race.p, race.p + kRows * kKeys);
  competitor.accumulate();
  all.insert(all.end(), race.acc, race.acc + kRows * kDepth);
  return all;
}

double secondsOf(const std::function<void()> &function) {
  const auto start = Clock::now();
  for (int call = 0; call < kCalls; ++call)
    function();
  return std::chrono::duration<double>(Clock::now() - start).count() / kCalls;
}

/// One line: best times of both, taken in turns.
void printRace(const char *name, const std::function<void()> &halide,
               const std::function<void()> &linalg, double work, const char *unit) {
  double best[2] = {1, 1};
  for (int round = 0; round < kRounds; ++round) {
    best[0] = std::min(best[0], secondsOf(halide));
    best[1] = std::min(best[1], secondsOf(linalg));
  }
  outs() << format("%-12s %8.2f us %7.1f %8.2f us %7.1f %-9s %5.2f\n", name, best[0] * 1e6,
                   work / best[0] / 1e9, best[1] * 1e6, work / best[1] / 1e9, unit,
                   best[1] / best[0]);
}
} // namespace

int main(int argc, char **argv) {
  if (argc != 2) {
    errs() << "usage: attune_tile_race TILES.ll\n";
    return 2;
  }
  const TargetInfo target = exitOnError(resolveTarget("x86-64-v3"));
  auto race = std::make_unique<Race>(target);
  const Competitor halide = race->byHalide();
  double halideCode = 0;
  for (const auto &program : race->programs)
    halideCode += program->seconds;
  const Competitor linalg = race->byLinalg(argv[1]);
  outs() << format("Halide: lowering %.2f s, optimising and code %.2f s (3 kernels)\n",
                   race->halideSeconds, halideCode)
         << format("linalg: optimising and code %.2f s (3 functions)\n",
                   race->programs.back()->seconds);

  const std::vector<float> expected = resultsOf(*race, halide), found = resultsOf(*race, linalg);
  double worst = 0;
  for (auto [a, b] : zip_equal(expected, found))
    worst = std::max(worst, std::abs(double(a) - b) / std::max(1.0, std::abs(double(a))));
  outs() << format("largest difference %.1e\n", worst);
  if (!(worst < 1e-5)) {
    errs() << "tile_race: error: results differ\n";
    return 1;
  }
  outs() << format("%-12s %19s %19s %9s %5s\n", "", "Halide", "linalg", "", "ratio");
  constexpr double products = 2.0 * kRows * kKeys * kDepth;
  printRace("scores", halide.scores, linalg.scores, products, "GFLOP/s");
  printRace("softmax", halide.softmax, linalg.softmax, kRows * kKeys, "Gscore/s");
  printRace("accumulate", halide.accumulate, linalg.accumulate, products, "GFLOP/s");
  return 0;
}
