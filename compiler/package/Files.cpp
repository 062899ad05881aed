//===- Files.cpp - What a compilation leaves on disk ----------------------===//
#include "package/Files.h"

#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace attune {

Error writeFile(StringRef path, StringRef content) {
  Error error = writeToOutput(path, [&](raw_ostream &stream) {
    stream << content;
    return Error::success();
  });
  if (!error)
    return Error::success();
  return createStringError("cannot write %s: %s", path.str().c_str(),
                           toString(std::move(error)).c_str());
}

Error writeArchive(StringRef path, StringRef member, ArrayRef<char> object) {
  SmallVector<NewArchiveMember, 1> members;
  members.emplace_back(MemoryBufferRef(StringRef(object.data(), object.size()), member));
  return llvm::writeArchive(path, members, SymtabWritingMode::NormalSymtab, object::Archive::K_GNU,
                            /*Deterministic=*/true, /*Thin=*/false);
}

Error linkShared(StringRef path, StringRef objectPath, StringRef runtimeArchive) {
  std::string compiler = sys::Process::GetEnv("CC").value_or("cc");
  ErrorOr<std::string> program = sys::findProgramByName(compiler);
  if (!program)
    return createStringError("--emit=so needs a C compiler; '%s' was not found (set CC)",
                             compiler.c_str());
  if (!sys::fs::exists(runtimeArchive))
    return createStringError("--emit=so needs the runtime, which is not at %s",
                             runtimeArchive.str().c_str());
  // The runtime goes in whole: applications call its functions too.
  StringRef arguments[] = {*program,       "-shared",
                           "-o",           path,
                           objectPath,     "-Wl,--whole-archive",
                           runtimeArchive, "-Wl,--no-whole-archive",
                           "-lpthread"};
  std::string message;
  int status = sys::ExecuteAndWait(*program, arguments, std::nullopt, {}, 0, 0, &message);
  if (status != 0)
    return createStringError("%s failed with status %d%s%s", compiler.c_str(), status,
                             message.empty() ? "" : ": ", message.c_str());
  return Error::success();
}

} // namespace attune
