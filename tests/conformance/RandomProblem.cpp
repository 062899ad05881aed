//===- RandomProblem.cpp - Sizes, values and masks that find mistakes -----===//
#include "RandomProblem.h"

#include <cmath>
#include <limits>
#include <numbers>

namespace attune::conformance {

namespace {
constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float lowest = std::numeric_limits<float>::lowest();

/// Box and Muller's; the standard's distributions differ between libraries.
float normal(Random &random) {
  const double u = (random() >> 11) * 0x1p-53, v = (random() >> 11) * 0x1p-53;
  return static_cast<float>(std::sqrt(-2 * std::log(1 - u)) * std::cos(2 * std::numbers::pi * v));
}

void fillNormal(HostTensor &tensor, double deviation, Random &random) {
  for (float &value : tensor.values)
    value = static_cast<float>(normal(random) * deviation);
}

double work(const TestModule &module, const CallSizes &sizes) {
  const ModuleConfig &config = module.config().module;
  const double width = config.numHeads * config.headDim;
  double perBatch = 2.0 * sizes.target * sizes.source * width;
  if (module.config().op == Op::MultiheadAttention)
    perBatch += 2.0 * (sizes.target + sizes.source) * width * width;
  return perBatch * sizes.batch;
}

int64_t randomLength(const std::vector<int64_t> &units, int64_t largest, Random &random) {
  const int64_t kind = pick(random, 0, 19);
  if (kind == 0)
    return 0;
  if (kind == 1)
    return 1;
  int64_t length = pick(random, 1, largest);
  if (kind < 16) {
    const int64_t unit = units[pick(random, 0, units.size() - 1)];
    const int64_t smaller = units[pick(random, 0, units.size() - 1)];
    length = unit * pick(random, 1, 3) + pick(random, -1, 1);
    length += chance(random, 30) ? smaller : 0;
  }
  return length <= largest ? std::max<int64_t>(length, 0) : pick(random, 0, largest);
}

/// One mask row: what happens to the keys of a query row.
void boolMaskRow(float *row, int64_t source, bool bytes, Random &random) {
  const int64_t kind = pick(random, 0, 9);
  for (int64_t j = 0; j < source; ++j) {
    bool hidden = chance(random, 30);
    if (kind == 0)
      hidden = true; // fully masked
    else if (kind == 1)
      hidden = j != source - 1; // the last key alone
    else if (kind == 2)
      hidden = j < source / 2; // the first tiles are empty
    else if (kind == 3)
      hidden = false;
    row[j] = hidden ? (bytes ? static_cast<float>(pick(random, 1, 255)) : 1.0f) : 0.0f;
  }
}

void floatMaskRow(float *row, int64_t source, Random &random) {
  const int64_t kind = pick(random, 0, 11);
  for (int64_t j = 0; j < source; ++j) {
    float value = normal(random);
    if (kind == 0)
      value = -infinity;
    else if (kind == 1)
      value = lowest;
    else if (kind == 2)
      value = chance(random, 50) ? lowest : value;
    else if (kind == 3)
      value = j == source - 1 ? value : lowest; // finite minima, then one real key
    else if (kind == 4)
      value = chance(random, 50) ? lowest : -infinity;
    else if (kind == 5)
      value = j < source / 2 ? -infinity : value;
    else if (kind < 9)
      value = chance(random, 30) ? -infinity : value;
    row[j] = value;
  }
}

void fillMask(HostTensor &mask, Random &random) {
  const int64_t source = mask.sizes[1];
  const bool bytes = mask.dtype != ATTUNE_FLOAT32 && chance(random, 50);
  if (bytes)
    mask.dtype = ATTUNE_UINT8;
  const bool allAlike = chance(random, 10);
  for (int64_t i = 0; i < mask.sizes[0]; ++i) {
    float *row = mask.values.data() + i * source;
    if (allAlike && i > 0)
      std::copy(row - source, row, row);
    else if (mask.dtype == ATTUNE_FLOAT32)
      floatMaskRow(row, source, random);
    else
      boolMaskRow(row, source, bytes, random);
  }
}

/// The first input among these names; inputs that are the same appear once.
HostTensor &firstOf(Problem &problem, std::initializer_list<const char *> names) {
  for (const char *name : names)
    if (HostTensor *tensor = problem.input(name))
      return *tensor;
  throw std::runtime_error("no such input");
}

void scaleBy(HostTensor &tensor, double factor) {
  for (float &value : tensor.values)
    value = static_cast<float>(value * factor);
}

void putNan(HostTensor &tensor, Random &random) {
  if (tensor.count() > 0)
    tensor.values[pick(random, 0, tensor.count() - 1)] = std::numeric_limits<float>::quiet_NaN();
}

/// Multiplies key row j by a factor that grows with j.
void makeLogitsGrow(Problem &problem) {
  HostTensor &key = firstOf(problem, {"key", "query"});
  const Config &config = problem.config;
  const int64_t width = key.sizes.back(), source = problem.sizes.source;
  const bool sourceFirst = config.op == Op::MultiheadAttention && batchDimension(config) == 1;
  for (int64_t k = 0; k < key.count(); ++k) {
    const int64_t row = k / width;
    const int64_t j = sourceFirst ? row / problem.sizes.batch : row % source;
    key.values[k] *= 8.0f * (j + 1) / source;
  }
}

void applyContents(Problem &problem, Contents contents, Random &random) {
  const ModuleConfig &module = problem.config.module;
  HostTensor &query = *problem.input("query");
  const double scale = std::abs(problem.config.scale());
  switch (contents) {
  case Contents::Normal:
    break;
  case Contents::LargeLogits:
    if (scale > 0) {
      const double factor = 3e3 / (scale * std::sqrt(module.headDim));
      scaleBy(query, problem.config.forward.inputs == Inputs::Self ? std::sqrt(factor) : factor);
    }
    break;
  case Contents::EqualLogits:
    scaleBy(query, 0);
    break;
  case Contents::GrowingLogits:
    makeLogitsGrow(problem);
    break;
  case Contents::TinyValues:
    scaleBy(firstOf(problem, {"value", "key", "query"}), 1e-38);
    break;
  case Contents::NanInKey:
    putNan(firstOf(problem, {"key", "query"}), random);
    break;
  case Contents::NanInValue:
    putNan(firstOf(problem, {"value", "key", "query"}), random);
    break;
  case Contents::NanInQuery:
    putNan(query, random);
    break;
  }
}
} // namespace

std::string RandomProblem::describe() const {
  static constexpr const char *names[contentsCount] = {
      "normal",      "large logits", "equal logits", "growing logits",
      "tiny values", "NaN in key",   "NaN in value", "NaN in query"};
  const CallSizes &sizes = problem.sizes;
  return "N=" + std::to_string(sizes.batch) + " L=" + std::to_string(sizes.target) +
         " S=" + std::to_string(sizes.source) + ", " + names[static_cast<int>(contents)];
}

CallSizes randomSizes(const TestModule &module, int64_t largestLength, double mostWork,
                      Random &random) {
  const CpuSchedule &schedule = module.result().schedule;
  const CpuTraits &cpu = module.result().target.traits;
  const std::vector<int64_t> targetUnits = {schedule.queryTile, schedule.scores.rows,
                                            schedule.values.rows, schedule.projectionRows,
                                            schedule.projection.rows};
  const std::vector<int64_t> sourceUnits = {schedule.kvTile,          schedule.keyPanel(cpu),
                                            cpu.vectorLanes,          schedule.queryTile,
                                            schedule.projection.rows, schedule.projectionRows};
  for (int attempt = 0;; ++attempt) {
    CallSizes sizes{chance(random, 4) ? 0 : pick(random, 1, 3),
                    randomLength(targetUnits, largestLength, random),
                    randomLength(sourceUnits, largestLength, random)};
    sizes = settledSizes(module.config(), sizes);
    if (attempt == 50 || work(module, sizes) <= mostWork)
      return sizes;
  }
}

Problem normalProblem(const Config &config, CallSizes sizes, Random &random) {
  Problem problem = emptyProblem(config, sizes);
  for (HostTensor &input : problem.inputs)
    if (input.name == "attn_mask")
      fillMask(input, random);
    else
      fillNormal(input, 1, random);
  for (HostTensor &parameter : problem.parameters)
    fillNormal(parameter, parameter.sizes.size() == 1 ? 0.3 : 1 / std::sqrt(config.module.embedDim),
               random);
  return problem;
}

RandomProblem randomProblem(const Config &config, CallSizes sizes, Random &random) {
  RandomProblem result{normalProblem(config, sizes, random)};
  if (chance(random, 60))
    result.contents = static_cast<Contents>(pick(random, 0, contentsCount - 1));
  applyContents(result.problem, result.contents, random);
  return result;
}

} // namespace attune::conformance
