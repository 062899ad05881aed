//===- RandomMasks.cpp - Masks that find mistakes -------------------------===//
#include "RandomMasks.h"

#include <algorithm>
#include <limits>

namespace attune::conformance {

namespace {
constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float lowest = std::numeric_limits<float>::lowest();

/// Which elements of a plane of rows by columns are hidden.
struct Plane {
  int64_t rows, columns;
  std::vector<char> hidden;

  Plane(int64_t rows, int64_t columns)
      : rows(rows), columns(columns), hidden(rows * columns, false) {}
  char *row(int64_t i) { return hidden.data() + i * columns; }
};

enum class Rows { All, LastAlone, SecondHalf, None, Prefix, Suffix, Inside, Scattered };
constexpr int rowsCount = 8;

/// The keys that one row may see.
void hideRow(char *row, int64_t columns, Random &random) {
  const Rows kind = static_cast<Rows>(pick(random, 0, rowsCount - 1));
  const int64_t begin = pick(random, 0, columns), end = pick(random, begin, columns);
  for (int64_t j = 0; j < columns; ++j)
    switch (kind) {
    case Rows::All:
      row[j] = false;
      break;
    case Rows::LastAlone:
      row[j] = j != columns - 1;
      break;
    case Rows::SecondHalf:
      row[j] = j < columns / 2;
      break;
    case Rows::None:
      row[j] = true;
      break;
    case Rows::Prefix:
      row[j] = j >= end;
      break;
    case Rows::Suffix:
      row[j] = j < begin;
      break;
    case Rows::Inside:
      row[j] = j < begin || j >= end;
      break;
    case Rows::Scattered:
      row[j] = chance(random, 30);
      break;
    }
}

/// Whole tiles of the grid are hidden, seen, or mixed.
void hideTiles(Plane &plane, const MaskGrid &grid, Random &random) {
  for (int64_t top = 0; top < plane.rows; top += grid.rows)
    for (int64_t left = 0; left < plane.columns; left += grid.columns) {
      const int64_t percent[] = {100, 100, 0, 50};
      const int64_t hidden = percent[pick(random, 0, 3)];
      for (int64_t i = top; i < std::min(top + grid.rows, plane.rows); ++i)
        for (int64_t j = left; j < std::min(left + grid.columns, plane.columns); ++j)
          plane.row(i)[j] = chance(random, hidden);
    }
}

void hideOutsideBand(Plane &plane, Random &random) {
  const int64_t before = pick(random, 0, plane.columns), after = pick(random, 0, 5);
  for (int64_t i = 0; i < plane.rows; ++i)
    for (int64_t j = 0; j < plane.columns; ++j)
      plane.row(i)[j] = j > i + after || j < i - before;
}

void hide(Plane &plane, const MaskGrid &grid, Random &random) {
  const int64_t kind = pick(random, 0, 9);
  if (kind < 3) {
    hideTiles(plane, grid, random);
  } else if (kind == 3) {
    hideOutsideBand(plane, random);
  } else {
    const bool allAlike = kind == 4;
    for (int64_t i = 0; i < plane.rows; ++i)
      if (allAlike && i > 0)
        std::copy(plane.row(i - 1), plane.row(i), plane.row(i));
      else
        hideRow(plane.row(i), plane.columns, random);
  }
}

/// One number for all hidden elements of a row, or another one each.
void writeFloats(float *to, const Plane &plane, HiddenBy hiddenBy, Random &random) {
  const bool zeroWhereSeen = chance(random, 30);
  for (int64_t k = 0; k < static_cast<int64_t>(plane.hidden.size()); ++k) {
    const float minimum = chance(random, 50) ? lowest : -1e9f;
    if (plane.hidden[k])
      to[k] = hiddenBy == HiddenBy::Infinity ? -infinity : minimum;
    else
      to[k] = zeroWhereSeen ? 0.0f : normal(random);
  }
}

void writeBytes(float *to, const Plane &plane, bool anyNumber, Random &random) {
  for (size_t k = 0; k < plane.hidden.size(); ++k)
    to[k] = !plane.hidden[k] ? 0.0f : anyNumber ? static_cast<float>(pick(random, 1, 255)) : 1.0f;
}

/// `planes` planes one after the other.
void fillMask(HostTensor &mask, int64_t planes, Plane plane, const MaskGrid &grid,
              HiddenBy hiddenBy, Random &random) {
  const bool bytes = mask.isBool() && chance(random, 50);
  if (bytes)
    mask.dtype = ATTUNE_UINT8;
  for (int64_t k = 0; k < planes; ++k) {
    hide(plane, grid, random);
    float *to = mask.values.data() + k * static_cast<int64_t>(plane.hidden.size());
    if (!mask.isBool())
      writeFloats(to, plane, hiddenBy, random);
    else
      writeBytes(to, plane, bytes, random);
  }
}

bool isPadded(const HostTensor &padding, int64_t n, int64_t source, int64_t j) {
  const float element = padding.values[n * source + j];
  return padding.isBool() ? element != 0 : element == -infinity;
}
} // namespace

float normal(Random &random) {
  constexpr float deviation = 0.57735027f; // of the sum of four uniform numbers
  const uint64_t bits = random();
  float sum = 0;
  for (int shift = 0; shift < 64; shift += 16)
    sum += static_cast<float>(bits >> shift & 0xffff) * 0x1p-16f;
  return (sum - 2 + 0x1p-15f) / deviation;
}

void fillMasks(Problem &problem, const MaskGrid &grid, HiddenBy hiddenBy, Random &random) {
  const auto [batch, target, source] = problem.sizes;
  if (HostTensor *mask = problem.input("attn_mask")) {
    const int64_t planes = mask->sizes.size() == 3 ? mask->sizes[0] : 1;
    fillMask(*mask, planes, Plane(target, source), grid, hiddenBy, random);
  }
  if (HostTensor *mask = problem.input("key_padding_mask"))
    fillMask(*mask, batch, Plane(1, source), grid, hiddenBy, random);
}

void poisonPadding(Problem &problem, Random &random) {
  const HostTensor *padding = problem.input("key_padding_mask");
  const Inputs inputs = problem.config.forward.inputs;
  if (!padding)
    return;
  const float poisons[] = {std::numeric_limits<float>::quiet_NaN(), infinity, -infinity};
  const auto [batch, target, source] = problem.sizes;
  const bool lengthOuter = batchDimension(problem.config) == 1;
  std::vector<const char *> names = {"key", "value"};
  if (inputs != Inputs::Separate)
    names = {inputs == Inputs::Self ? "query" : "key"};
  for (const char *name : names) {
    HostTensor &tensor = *problem.input(name);
    const float poison = poisons[pick(random, 0, 2)];
    // Rows in their order: (n, j), (j, n), or with heads (n, h, j).
    const int64_t width = tensor.sizes.back();
    const int64_t heads = problem.config.op == Op::Attention ? problem.config.module.numHeads : 1;
    for (int64_t row = 0; width > 0 && row < tensor.count() / width; ++row) {
      const int64_t j = lengthOuter ? row / batch : row % source;
      const int64_t n = lengthOuter ? row % batch : row / source / heads;
      if (isPadded(*padding, n, source, j))
        std::fill_n(tensor.values.begin() + row * width, width, poison);
    }
  }
}

} // namespace attune::conformance
