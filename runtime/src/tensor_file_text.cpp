//===- tensor_file_text.cpp - What the readers of tensor files say ----------------------------===//

#include "tensor_file_text.h"

#include <cstdint>

namespace attune::runtime {
namespace {

/// The bytes of the UTF-8 character that \p Text starts with; 0 if it starts with none.
size_t characterBytes(std::string_view Text) {
  auto Byte = [&](size_t I) { return static_cast<unsigned char>(Text[I]); };
  if (Byte(0) < 0x80)
    return 1;
  size_t Count = Byte(0) < 0xc0 ? 0 : Byte(0) < 0xe0 ? 2 : Byte(0) < 0xf0 ? 3 : 4;
  if (Count == 0 || Count > Text.size() || Byte(0) > 0xf4)
    return 0;
  uint32_t Character = Byte(0) & (0x7f >> Count);
  for (size_t I = 1; I < Count; ++I) {
    if ((Byte(I) & 0xc0) != 0x80)
      return 0;
    Character = Character << 6 | (Byte(I) & 0x3f);
  }
  // Each length starts where the shorter one ends; surrogates are no characters.
  constexpr uint32_t Least[] = {0, 0, 0x80, 0x800, 0x10000};
  bool Surrogate = Character >= 0xd800 && Character < 0xe000;
  return Character < Least[Count] || Character > 0x10ffff || Surrogate ? 0 : Count;
}

/// Characters that a terminal may obey, those of Unicode's second block (U+0080 to U+009F)
/// included.
bool isControl(std::string_view Character) {
  auto First = static_cast<unsigned char>(Character[0]);
  return First < 0x20 || First == 0x7f ||
         (First == 0xc2 && static_cast<unsigned char>(Character[1]) < 0xa0);
}

bool isUtf8(std::string_view Text) {
  while (!Text.empty()) {
    size_t Count = characterBytes(Text);
    if (Count == 0)
      return false;
    Text.remove_prefix(Count);
  }
  return true;
}

} // namespace

void refuse(std::string Problem) { throw FileError{ATTUNE_BAD_FILE, std::move(Problem)}; }

std::string quoteText(std::string_view Text) {
  constexpr size_t Longest = 80;
  std::string Result = "'";
  while (!Text.empty() && Result.size() <= Longest) {
    size_t Count = characterBytes(Text);
    std::string_view Character = Text.substr(0, Count);
    bool Shown = Count > 0 && !isControl(Character);
    Result += Shown ? Character : "?";
    Text.remove_prefix(Count > 0 ? Count : 1);
  }
  return Result + (Text.empty() ? "'" : "...'");
}

void checkName(const char *What, std::string_view Name) {
  if (Name.find('\0') != std::string_view::npos)
    refuse(std::string("the ") + What + " " + quoteText(Name) + " contains a null character");
  if (!isUtf8(Name))
    refuse(std::string("the ") + What + " " + quoteText(Name) + " is not UTF-8");
}

} // namespace attune::runtime
