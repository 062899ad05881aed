//===- Files.h - What a compilation leaves on disk --------------*- C++ -*-===//
#ifndef ATTUNE_PACKAGE_FILES_H
#define ATTUNE_PACKAGE_FILES_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FileSystem.h"
#include <string>

namespace attune {

/// Writes a file as a whole: to a temporary name first, then renamed over `path`. `mode` is what
/// the umask cuts.
llvm::Error writeFile(llvm::StringRef path, llvm::StringRef content,
                      unsigned mode = llvm::sys::fs::all_read | llvm::sys::fs::all_write);

/// Writes a static archive with one object.
llvm::Error writeArchive(llvm::StringRef path, llvm::StringRef member, llvm::ArrayRef<char> object);

/// Links an object and the attune runtime into a shared object with the system's C compiler: the
/// program `cc`, or the one that the environment variable CC names.
llvm::Error linkShared(llvm::StringRef path, llvm::StringRef objectPath,
                       llvm::StringRef runtimeArchive);

} // namespace attune

#endif
