//===- HalideCommon.cpp - What all kernel generators share ----------------===//

#include "codegen/cpu/kernels/HalideCommon.h"
#include "codegen/cpu/kernels/VectorCalls.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MD5.h"
#include "llvm/Support/MemoryBuffer.h"

namespace attune::cpu {

Halide::Target halideTarget(const KernelTarget &target) {
  using Halide::Target;
  const bool x86 = target.arch == KernelTarget::Arch::X86_64;
  Target result(Target::Linux, x86 ? Target::X86 : Target::ARM, 64,
                {Target::NoRuntime, Target::NoAsserts, Target::NoBoundsQuery, Target::StrictFloat,
                 Target::LargeBuffers});
  const std::pair<bool, Target::Feature> features[] = {{target.sse41, Target::SSE41},
                                                       {target.avx, Target::AVX},
                                                       {target.f16c, Target::F16C},
                                                       {target.fma, Target::FMA},
                                                       {target.avx2, Target::AVX2},
                                                       {target.avx512, Target::AVX512},
                                                       {target.avx512, Target::AVX512_Skylake}};
  for (auto [present, feature] : features)
    if (present && x86)
      result.set_feature(feature);
  return result;
}

std::string kernelSymbol(llvm::StringRef prefix, llvm::StringRef spec, const KernelTarget &target) {
  const std::string key = llvm::join(
      llvm::ArrayRef<std::string>{
          prefix.str(), spec.str(), halideTarget(target).to_string(),
          std::to_string(target.vectorLanes), std::to_string(HALIDE_VERSION_MAJOR),
          std::to_string(HALIDE_VERSION_MINOR), std::to_string(HALIDE_VERSION_PATCH)},
      "\n");
  llvm::MD5 hash;
  hash.update(key);
  llvm::MD5::MD5Result digest = hash.final();
  return ("attune_" + prefix + "_" + llvm::utohexstr(digest.low(), /*LowerCase=*/true)).str();
}

/// Compiles to a temporary file, the only way in which Halide hands out bitcode, and reads it.
static llvm::Expected<std::string> compileToBitcode(const Recipe &recipe, const std::string &symbol,
                                                    const KernelTarget &target) {
  llvm::SmallString<128> path;
  if (std::error_code error = llvm::sys::fs::createTemporaryFile("attune-kernel", "bc", path))
    return llvm::createStringError(error, "cannot create a temporary file for a kernel");
  auto remove = llvm::scope_exit([&] { (void)llvm::sys::fs::remove(path); });
  Halide::Module module = Halide::Pipeline(recipe.outputs)
                              .compile_to_module(recipe.inputs, symbol, halideTarget(target),
                                                 Halide::LinkageType::External);
  module.compile({{Halide::OutputFileType::bitcode, std::string(path.str())}});
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer)
    return llvm::createStringError(buffer.getError(), "cannot read the bitcode of " + symbol);
  if (target.avx512)
    return replaceVectorCalls((*buffer)->getBuffer());
  return (*buffer)->getBuffer().str();
}

namespace {
/// Halide's own reporter prints warnings, for example that 16-bit floats are converted by several
/// instructions, which kernels do on purpose.
struct QuietReporter : Halide::CompileTimeErrorReporter {
  void warning(const char *) override {}
  [[noreturn]] void error(const char *message) override { throw Halide::CompileError(message); }
};
} // namespace

llvm::Expected<Kernel> compileKernel(Kernel kernel, const KernelTarget &target,
                                     llvm::function_ref<Recipe()> build) {
  static QuietReporter reporter;
  [[maybe_unused]] static const bool isSet = [] {
    Halide::set_custom_compile_time_error_reporter(&reporter);
    return true;
  }();
  std::string message;
  try {
    llvm::Expected<std::string> bitcode = compileToBitcode(build(), kernel.symbol, target);
    if (!bitcode)
      return bitcode.takeError();
    kernel.bitcode = std::move(*bitcode);
    return kernel;
  } catch (const Halide::Error &error) {
    message = error.what();
  } catch (const std::exception &error) {
    message = error.what();
  }
  return llvm::createStringError("kernel " + kernel.symbol + ": " + message);
}

KernelArgument bufferArgument(int rank, ElementType type) {
  return {KernelArgument::Kind::Buffer, type, rank};
}
KernelArgument int32Argument() { return {KernelArgument::Kind::Int32}; }
KernelArgument float32Argument() { return {KernelArgument::Kind::Float32}; }

const char *elementName(ElementType type) {
  constexpr const char *names[] = {"f32", "u8", "i32", "bf16", "f16"};
  return names[static_cast<int>(type)];
}

std::string typeSuffix(ElementType type) {
  return type == ElementType::F32 ? "" : std::string("_") + elementName(type);
}

Halide::Type halideType(ElementType type) {
  const Halide::Type types[] = {Halide::Float(32), Halide::UInt(8), Halide::Int(32),
                                Halide::BFloat(16), Halide::Float(16)};
  return types[static_cast<int>(type)];
}

Halide::ImageParam inputBuffer(const std::string &name, int rank, ElementType type) {
  Halide::ImageParam buffer(halideType(type), rank, name);
  for (int dim = 0; dim < rank; ++dim)
    buffer.dim(dim).set_min(0);
  return buffer;
}

void constrainOutput(Halide::Func &output) {
  for (int dim = 0; dim < output.dimensions(); ++dim)
    output.output_buffer().dim(dim).set_min(0);
}

int vectorsOfLine(int lanes, Halide::Type type) {
  constexpr int lineBytes = 64;
  return std::max(lineBytes / (lanes * type.bytes()), 1);
}

Halide::Expr pureCall(const char *function, const std::vector<Halide::Expr> &operands) {
  return Halide::Internal::Call::make(operands.front().type(), function, operands,
                                      Halide::Internal::Call::PureExtern);
}

Halide::Expr converted(const Halide::Expr &value, Halide::Type type) {
  if (type.bits() > 16 || value.type() == type)
    return Halide::cast(type, value);
  // Halide's emulation, where there is no instruction, makes an infinity of some NaN.
  const Halide::Expr bits = Halide::cast<uint16_t>(type == Halide::Float(16) ? 0x7e00 : 0x7fc0);
  return select(value == value, Halide::cast(type, value), Halide::reinterpret(type, bits));
}

Halide::Expr roundedUp(const Halide::Expr &value, int unit) {
  return ((value + (unit - 1)) / unit) * unit;
}

Halide::Expr maximum(const Halide::Expr &a, const Halide::Expr &b) {
  return Halide::select(a < b, b, a);
}

Halide::Expr finiteMaximum(const Halide::Expr &max) {
  return select(max == minusInfinity, 0.0f, max);
}

Halide::Expr hidesKey(const Halide::Expr &element) {
  const bool isFloat = element.type().is_float() || element.type().is_bfloat();
  return isFloat ? Halide::cast<float>(element) == minusInfinity : element != 0;
}

Halide::Expr combineTree(std::vector<Halide::Expr> values, Combine combine) {
  while (values.size() > 1) {
    std::vector<Halide::Expr> halves;
    for (size_t i = 0; i + 1 < values.size(); i += 2)
      halves.push_back(combine(values[i], values[i + 1]));
    if (values.size() % 2)
      halves.push_back(values.back());
    values = std::move(halves);
  }
  return values.front();
}

Halide::Func reduceLanes(Halide::Func rows, int lanes, Combine combine, Halide::Func &consumer,
                         const Halide::Var &level) {
  Halide::Var lane("lane"), row("row");
  for (int width = lanes / 2; width >= 1; width /= 2) {
    Halide::Func half(rows.name() + "_" + std::to_string(width));
    half(lane, row) = combine(rows(lane, row), rows(lane + width, row));
    half.compute_at(consumer, level).store_in(Halide::MemoryType::Stack).unroll(row);
    if (width > 1)
      half.bound(lane, 0, width).vectorize(lane, width);
    rows = half;
  }
  return rows;
}

/// A perfect shuffle, which interleaves the two halves, rotates the bits of an index by one; as
/// many as a row index has bits exchange rows and columns. Each becomes one shuffle a register.
std::vector<Halide::Func> transposition(const Halide::Func &tile, int lanes, const Halide::Var &i,
                                        const std::vector<Halide::Var> &which) {
  std::vector<Halide::Func> stages{tile};
  for (int bits = 1; bits < lanes; bits *= 2) {
    Halide::Func before = stages.back(), after("shuffled");
    auto at = [&](const Halide::Expr &index) { return before(index, which[0], which[1]); };
    after(i, which[0], which[1]) =
        Halide::select(i % 2 == 0, at(i / 2), at(i / 2 + lanes * lanes / 2));
    stages.push_back(after);
  }
  return stages;
}

void scheduleTransposition(std::vector<Halide::Func> &stages, int lanes, const Halide::Var &i,
                           const Halide::LoopLevel &level) {
  for (Halide::Func &stage : stages) {
    const int width = stage.name() == stages.front().name() ? lanes : 2 * lanes;
    stage.compute_at(level).store_in(Halide::MemoryType::Stack);
    stage.bound(i, 0, lanes * lanes).vectorize(i, width).unroll(i);
  }
}

} // namespace attune::cpu
