//===- MutantsTest.cpp - Every seed, cut and damaged everywhere -----------===//
#include "Framing.h"
#include "Targets.h"
#include <algorithm>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <memory>

using namespace attune::fuzz;

namespace {

struct Seed {
  std::string folder, path;
  Target *target;
};

void PrintTo(const Seed &seed, std::ostream *stream) { *stream << seed.path; }

constexpr std::pair<const char *, Target *> folders[] = {
    {"config", checkConfigText}, {"score", checkScoreText},        {"schedule", checkScheduleText},
    {"record", checkRecordText}, {"safetensors", checkTensorFile}, {"npy", checkTensorFile},
    {"npz", checkTensorFile},    {"pt", checkTensorFile},
};

std::vector<Seed> seeds() {
  std::vector<Seed> list;
  for (auto [folder, target] : folders)
    for (const auto &entry :
         std::filesystem::directory_iterator(std::string(ATTUNE_FUZZ_SEEDS "/") + folder))
      list.push_back({folder, entry.path().string(), target});
  std::sort(list.begin(), list.end(), [](const Seed &a, const Seed &b) { return a.path < b.path; });
  return list;
}

std::string read(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Runs a target on memory of exactly the input's size, so that AddressSanitizer sees reads beyond.
Verdict run(const Seed &seed, const std::string &input) {
  std::unique_ptr<char[]> copy(new char[input.size()]);
  std::memcpy(copy.get(), input.data(), input.size());
  return runTarget(seed.target, {copy.get(), input.size()});
}

/// Calls `use` with every text that is `text` cut at a byte, with one bit flipped or with one byte
/// made zero, and with what was done.
template <typename Use> void forEachMutant(const std::string &text, Use use) {
  for (size_t length = 0; length < text.size(); ++length)
    use(text.substr(0, length), "cut at " + std::to_string(length));
  for (size_t bit = 0; bit < 8 * text.size(); ++bit) {
    std::string flipped = text;
    flipped[bit / 8] = char(flipped[bit / 8] ^ 1 << bit % 8);
    use(flipped, "bit " + std::to_string(bit) + " flipped");
  }
  for (size_t at = 0; at < text.size(); ++at) {
    std::string zeroed = text;
    zeroed[at] = '\0';
    use(zeroed, "byte " + std::to_string(at) + " zero");
  }
}

class Mutants : public testing::TestWithParam<Seed> {};

TEST_P(Mutants, TheSeedIsWhatItsNameSays) {
  const bool refused = GetParam().path.find("/refused_") != std::string::npos;
  const Verdict verdict = run(GetParam(), read(GetParam().path));
  EXPECT_EQ(verdict.accepted, !refused);
  EXPECT_EQ(verdict.problem, "");
}

TEST_P(Mutants, DamageBreaksNoPromise) {
  forEachMutant(read(GetParam().path), [](const std::string &mutant, const std::string &what) {
    EXPECT_EQ(run(GetParam(), mutant).problem, "") << what;
  });
}

/// The same inside of a tensor file's parts, with lengths and checksums put right.
TEST_P(Mutants, DamagedPartsBreakNoPromise) {
  if (GetParam().target != checkTensorFile)
    return;
  const std::string file = read(GetParam().path);
  std::optional<Framing> framing = takeApart(file);
  ASSERT_TRUE(framing);
  EXPECT_EQ(run(GetParam(), putTogether(*framing)).accepted, run(GetParam(), file).accepted);
  for (size_t k = 0; k < framing->parts.size(); ++k) {
    Framing damaged = *framing;
    forEachMutant(framing->parts[k], [&](const std::string &mutant, const std::string &what) {
      damaged.parts[k] = mutant;
      EXPECT_EQ(run(GetParam(), putTogether(damaged)).problem, "") << "part " << k << ", " << what;
    });
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, Mutants, testing::ValuesIn(seeds()), [](const auto &info) {
  std::string name =
      info.param.folder + "_" + std::filesystem::path(info.param.path).stem().string();
  std::replace_if(name.begin(), name.end(), [](char c) { return !std::isalnum(uint8_t(c)); }, '_');
  return name;
});

} // namespace
