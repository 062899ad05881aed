//===- Message.cpp - What error messages may hold -------------------------===//
#include "Targets.h"
#include "llvm/Support/JSON.h"

namespace attune::fuzz {

std::string messageProblem(std::string_view message) {
  constexpr size_t longest = 2000;
  if (message.empty())
    return "refused without a message";
  if (message.size() > longest)
    return "a message of " + std::to_string(message.size()) + " bytes";
  for (char c : message)
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\n') || c == 0x7f)
      return "a message with control characters: " + std::string(message);
  if (!llvm::json::isUTF8(message))
    return "a message that is not UTF-8";
  return "";
}

} // namespace attune::fuzz
