//===- RegionProgram.cpp - A score or keep region as plain data -----------===//

#include "codegen/cpu/kernels/RegionProgram.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/raw_ostream.h"

namespace attune::cpu {

std::string RegionProgram::text() const {
  std::string result;
  llvm::raw_string_ostream out(result);
  for (const RegionOperation &operation : operations) {
    out << static_cast<int>(operation.opcode) << " (";
    for (int operand : operation.operands)
      out << ' ' << operand;
    out << " ) " << operation.index << ' ';
    out.write_hex(llvm::bit_cast<uint64_t>(operation.constant)) << '\n';
  }
  return result;
}

} // namespace attune::cpu
