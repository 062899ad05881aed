//===- tensor_file_text.h - What the readers of tensor files say ------------------------------===//

#ifndef ATTUNE_RUNTIME_TENSOR_FILE_TEXT_H
#define ATTUNE_RUNTIME_TENSOR_FILE_TEXT_H

#include "attune/attune.h"

#include <string>
#include <string_view>

namespace attune::runtime {

/// Why a file cannot be read. The readers throw it; the C interface turns it into a status and puts
/// the file's name before the text.
struct FileError {
  attune_status Status;
  std::string Text;
};

/// Throws a FileError with ATTUNE_BAD_FILE.
[[noreturn]] void refuse(std::string Problem);

/// Quotes untrusted text for a message: short, UTF-8, and without control characters.
std::string quoteText(std::string_view Text);

/// Refuses a name that is not UTF-8 or contains a null character; \p What says whose name it is.
void checkName(const char *What, std::string_view Name);

} // namespace attune::runtime

#endif
