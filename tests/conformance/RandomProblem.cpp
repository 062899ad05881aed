//===- RandomProblem.cpp - Sizes, values and masks that find mistakes -----===//
#include "RandomProblem.h"

#include <cmath>
#include <limits>

namespace attune::conformance {

namespace {
void fillNormal(HostTensor &tensor, double deviation, Random &random) {
  for (float &value : tensor.values)
    value = static_cast<float>(normal(random) * deviation);
}

/// Multiplications of the reference; an element of a large mask or of weights costs as much as
/// some.
double work(const Config &config, const CallSizes &sizes) {
  constexpr double elementCost = 16;
  const double width = config.module.numHeads * config.module.headDim;
  double perBatch =
      2.0 * sizes.target * sizes.source * (width + elementCost * config.module.numHeads);
  if (config.op == Op::MultiheadAttention)
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
  case Contents::FiniteMinima:
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

/// Biases small, appended rows like projected ones, matrices so that they keep a row's size.
double deviationOf(const HostTensor &parameter) {
  if (parameter.name == "bias_k" || parameter.name == "bias_v")
    return 1;
  return parameter.sizes.size() == 1 ? 0.3 : 1 / std::sqrt(parameter.sizes.back());
}
} // namespace

std::string RandomProblem::describe() const {
  static constexpr const char *names[contentsCount] = {
      "normal",        "large logits", "equal logits", "growing logits", "tiny values",
      "finite minima", "NaN in key",   "NaN in value", "NaN in query"};
  const CallSizes &sizes = problem.sizes;
  return "N=" + std::to_string(sizes.batch) + " L=" + std::to_string(sizes.target) +
         " S=" + std::to_string(sizes.source) + ", " + names[static_cast<int>(contents)] +
         (poisoned ? ", poisoned padding" : "");
}

TileUnits::TileUnits(const CpuSchedule &schedule, const CpuTraits &cpu)
    : target{schedule.queryTile,      schedule.scores.rows,     schedule.values.rows,
             schedule.projectionRows, schedule.projection.rows, std::max(schedule.fewRows, 1)},
      source{schedule.kvTile,    schedule.keyPanel(cpu),   cpu.vectorLanes,
             schedule.queryTile, schedule.projection.rows, schedule.projectionRows,
             schedule.splitKeys},
      grid{schedule.queryTile, schedule.kvTile} {}

CallSizes randomSizes(const Config &config, const TileUnits &units, const SizeLimits &limits,
                      Random &random) {
  for (int attempt = 0;; ++attempt) {
    CallSizes sizes{chance(random, 4) ? 0 : pick(random, 1, 3),
                    randomLength(units.target, limits.largestLength, random),
                    randomLength(units.source, limits.largestLength, random)};
    sizes = settledSizes(config, sizes);
    if (attempt == 50 || work(config, sizes) <= limits.mostWork)
      return sizes;
  }
}

Problem normalProblem(const Config &config, CallSizes sizes, Random &random, const MaskGrid &grid,
                      HiddenBy hiddenBy) {
  Problem problem = emptyProblem(config, sizes);
  for (HostTensor &input : problem.inputs)
    if (input.name != "attn_mask" && input.name != "key_padding_mask")
      fillNormal(input, 1, random);
  fillMasks(problem, grid, hiddenBy, random);
  for (HostTensor &parameter : problem.parameters)
    fillNormal(parameter, deviationOf(parameter), random);
  return problem;
}

RandomProblem randomProblem(const Config &config, CallSizes sizes, const MaskGrid &grid,
                            Random &random) {
  RandomProblem result;
  if (chance(random, 60))
    result.contents = static_cast<Contents>(pick(random, 0, contentsCount - 1));
  const HiddenBy hiddenBy =
      result.contents == Contents::FiniteMinima ? HiddenBy::FiniteMinima : HiddenBy::Infinity;
  result.problem = normalProblem(config, sizes, random, grid, hiddenBy);
  applyContents(result.problem, result.contents, random);
  result.poisoned = result.problem.input("key_padding_mask") && chance(random, 50);
  if (result.poisoned)
    poisonPadding(result.problem, random);
  for (std::vector<HostTensor> *tensors : {&result.problem.inputs, &result.problem.parameters})
    for (HostTensor &tensor : *tensors)
      tensor.roundValues();
  return result;
}

} // namespace attune::conformance
