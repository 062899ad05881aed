//===- Files.cpp - What a compilation leaves on disk ----------------------===//
#include "package/Files.h"

#include "llvm/Object/Archive.h"
#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Program.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace attune {

/// Writes through a stream of its own, which tells of a full disk.
static std::error_code writeTo(int file, StringRef content) {
  raw_fd_ostream stream(file, /*shouldClose=*/false);
  stream << content;
  stream.flush();
  const std::error_code code = stream.error();
  stream.clear_error();
  return code;
}

Error writeFile(StringRef path, StringRef content, unsigned mode) {
  auto failed = [&](const std::string &why) {
    return createStringError("cannot write %s: %s", path.str().c_str(), why.c_str());
  };
  auto temporary = sys::fs::TempFile::create(path + ".%%%%%%%%.tmp", mode);
  if (!temporary)
    return failed(toString(temporary.takeError()));
  if (std::error_code code = writeTo(temporary->FD, content)) {
    consumeError(temporary->discard());
    return failed(code.message());
  }
  if (Error error = temporary->keep(path))
    return failed(toString(std::move(error)));
  return Error::success();
}

Error writeArchive(StringRef path, StringRef member, ArrayRef<char> object) {
  SmallVector<NewArchiveMember, 1> members;
  members.emplace_back(MemoryBufferRef(StringRef(object.data(), object.size()), member));
  return llvm::writeArchive(path, members, SymtabWritingMode::NormalSymtab, object::Archive::K_GNU,
                            /*Deterministic=*/true, /*Thin=*/false);
}

/// The architecture of an object, or of the first member of an archive.
static Expected<Triple::ArchType> architectureOf(StringRef path) {
  auto file = object::createBinary(path);
  if (!file)
    return createFileError(path, file.takeError());
  if (auto *archive = dyn_cast<object::Archive>(file->getBinary())) {
    Error error = Error::success();
    for (const object::Archive::Child &child : archive->children(error)) {
      auto member = child.getAsBinary();
      if (!member)
        return createFileError(path, member.takeError());
      if (auto *objectFile = dyn_cast<object::ObjectFile>(member->get()))
        return objectFile->getArch();
      break;
    }
    if (error)
      return createFileError(path, std::move(error));
  }
  if (auto *objectFile = dyn_cast<object::ObjectFile>(file->getBinary()))
    return objectFile->getArch();
  return createStringError("%s is neither an object nor an archive of objects", path.str().c_str());
}

/// An object of another architecture needs a runtime of its own.
static Error checkArchitectures(StringRef objectPath, StringRef runtimeArchive) {
  Expected<Triple::ArchType> code = architectureOf(objectPath);
  if (!code)
    return code.takeError();
  Expected<Triple::ArchType> runtime = architectureOf(runtimeArchive);
  if (!runtime)
    return runtime.takeError();
  if (*code == *runtime)
    return Error::success();
  const std::string wanted = Triple::getArchTypeName(*code).str();
  return createStringError(
      "--emit=so: the code is for %s, the runtime %s for %s; write --emit=obj and link it with a "
      "cross compiler and a runtime built for %s",
      wanted.c_str(), runtimeArchive.str().c_str(), Triple::getArchTypeName(*runtime).str().c_str(),
      wanted.c_str());
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
  if (Error error = checkArchitectures(objectPath, runtimeArchive))
    return error;
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
