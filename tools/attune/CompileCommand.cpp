//===- CompileCommand.cpp - attune compile --------------------------------===//
#include "CallTensors.h"
#include "Common.h"

#include "package/Files.h"
#include "package/Header.h"
#include "package/Metadata.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace attune::tool {

namespace {
/// A kind of output: the phase that makes it and the extension of its file.
struct EmitKind {
  StringLiteral name;
  Phase phase;
  StringLiteral extension;
};
constexpr EmitKind kEmitKinds[] = {{"graph", Phase::Graph, "graph.mlir"},
                                   {"tiles", Phase::Tiles, "tiles.mlir"},
                                   {"llvm-mlir", Phase::LlvmDialect, "llvm.mlir"},
                                   {"llvm", Phase::Llvm, "ll"},
                                   {"asm", Phase::Assembly, "s"},
                                   {"obj", Phase::Object, "o"},
                                   {"lib", Phase::Object, "a"},
                                   {"so", Phase::Object, "so"}};

std::string runtimeArchive() {
  SmallString<256> path(sys::fs::getMainExecutable(nullptr, reinterpret_cast<void *>(&runCompile)));
  sys::path::remove_filename(path);
  sys::path::append(path, "..", "lib", "libattune_runtime.a");
  return path.str().str();
}

/// Object, archive or shared object, as NAME.EXTENSION.
Error writeCode(const CompiledModule &compiled, const EmitKind &kind, StringRef path) {
  StringRef object(compiled.object.data(), compiled.object.size());
  if (kind.name == "obj")
    return writeFile(path, object);
  if (kind.name == "lib")
    return writeArchive(path, compiled.config.name + ".o", compiled.object);
  SmallString<128> temporary;
  if (std::error_code code = sys::fs::createTemporaryFile("attune", "o", temporary))
    return createStringError(code, "cannot create a temporary file");
  FileRemover remover(temporary);
  if (Error error = writeFile(temporary, object))
    return error;
  return linkShared(path, temporary, runtimeArchive());
}
/// Reads the request, and the parameters if they are to become a part of the object.
Expected<CompiledModule> compileFor(const CompileArguments &arguments, Phase phase) {
  Expected<CompileRequest> request = readRequest(arguments.config);
  if (!request)
    return request.takeError();
  request->options.lastPhase = phase;
  request->options.dumpDirectory = arguments.dumpDirectory;
  if (arguments.weights.empty())
    return compileRequest(*request, arguments.config.noCache);
  const std::vector<InterfaceTensor> specs = interfaceParameters(request->config);
  if (specs.empty())
    return createStringError("--weights: op attention has no parameters");
  try {
    const InputFile file(arguments.weights);
    request->options.parameters = file.parameters(arguments.prefix, specs);
    return compileRequest(*request, arguments.config.noCache);
  } catch (const attune::StatusError &error) {
    return createStringError("%s", error.what());
  }
}
} // namespace

Error runCompile(const CompileArguments &arguments) {
  const EmitKind *kind =
      find_if(kEmitKinds, [&](const EmitKind &entry) { return entry.name == arguments.emit; });
  Expected<CompiledModule> compiled = compileFor(arguments, kind->phase);
  if (!compiled)
    return compiled.takeError();
  const bool isText = kind->phase != Phase::Object;
  if (isText && arguments.directory.empty()) {
    outs() << compiled->text;
    return Error::success();
  }
  StringRef directory = arguments.directory.empty() ? "." : StringRef(arguments.directory);
  if (std::error_code code = sys::fs::create_directories(directory))
    return createStringError(code, "cannot create directory %s", directory.str().c_str());
  std::vector<std::string> written;
  auto pathFor = [&](StringRef extension) {
    SmallString<128> path(directory);
    sys::path::append(path, compiled->config.name + "." + extension);
    written.push_back(path.str().str());
    return written.back();
  };
  std::string path = pathFor(kind->extension);
  if (Error error = isText ? writeFile(path, compiled->text) : writeCode(*compiled, *kind, path))
    return error;
  if (!isText) {
    std::vector<CompiledVariant> variants = {*compiled};
    append_range(variants, compiled->fallbacks);
    auto names = map_range(variants, [](const auto &variant) { return variant.target.name; });
    if (Error error =
            writeFile(pathFor("h"),
                      generateHeader(compiled->config, join(names, ", then "), compiled->isBaked)))
      return error;
    if (Error error = writeFile(pathFor("json"), generateMetadata(compiled->config, variants,
                                                                  *compiled, compiled->isBaked)))
      return error;
  }
  for (const std::string &file : written)
    outs() << file << "\n";
  return Error::success();
}

} // namespace attune::tool
