//===- ReadBandwidth.cpp - What memory delivers ---------------------------===//
#include "ReadBandwidth.h"

#include <algorithm>
#include <array>
#include <barrier>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <thread>
#include <vector>

namespace attune::tool {

namespace {
using Clock = std::chrono::steady_clock;

constexpr size_t kAllBytes = size_t(256) << 20, kLeastBytes = size_t(64) << 20; // a thread
constexpr int kPasses = 6;

/// A core has the most lines under way when it reads from several places, as kernels do: 8 to 14
/// GB/s with 1 to 8 parts on an Emerald Rapids.
constexpr size_t kParts = 8;

/// Independent sums of a line: cores read wider than memory delivers.
constexpr size_t kSums = 8;

/// The block of one thread, and when its passes began and ended.
struct Reader {
  std::vector<uint64_t> block;
  std::array<Clock::time_point, kPasses> begin, end;
  uint64_t sum = 0;

  uint64_t sumBlock() const {
    uint64_t sums[kSums] = {}, total = 0;
    const size_t part = block.size() / kParts;
    for (size_t k = 0; k + kSums <= part; k += kSums)
      for (size_t first = 0; first + part <= block.size(); first += part)
        for (size_t lane = 0; lane < kSums; ++lane)
          sums[lane] += block[first + k + lane];
    for (uint64_t lane : sums)
      total += lane;
    return total;
  }
};
} // namespace

double measureReadBandwidth(int threads) {
  const size_t bytes = std::max(kAllBytes / static_cast<size_t>(threads), kLeastBytes);
  std::vector<Reader> readers(static_cast<size_t>(threads));
  std::barrier barrier(threads);
  auto read = [&](Reader &reader) {
    reader.block.assign(bytes / sizeof(uint64_t), 1); // by the thread that reads it
    for (int pass = 0; pass < kPasses; ++pass) {
      barrier.arrive_and_wait();
      reader.begin[pass] = Clock::now();
      reader.sum += reader.sumBlock();
      reader.end[pass] = Clock::now();
    }
  };
  std::vector<std::thread> helpers;
  for (Reader &reader : readers)
    helpers.emplace_back(read, std::ref(reader));
  for (std::thread &helper : helpers)
    helper.join();
  double best = 0;
  volatile uint64_t sink = 0; // no pass can be left out
  for (int pass = 0; pass < kPasses; ++pass) {
    Clock::time_point begin = readers.front().begin[pass], end = readers.front().end[pass];
    for (const Reader &reader : readers) {
      begin = std::min(begin, reader.begin[pass]);
      end = std::max(end, reader.end[pass]);
      sink = sink + reader.sum;
    }
    const std::chrono::duration<double> elapsed = end - begin;
    best = std::max(best, static_cast<double>(bytes) * threads / elapsed.count() / 1e9);
  }
  return best;
}

} // namespace attune::tool
