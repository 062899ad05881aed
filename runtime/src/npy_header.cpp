//===- npy_header.cpp - The header of a .npy file ---------------------------------------------===//
//
// The header is a Python dict of exactly three keys, in any order:
//   {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
// then spaces and a newline.
//
//===------------------------------------------------------------------------------------------===//

#include "npy_header.h"

#include "tensor_file_text.h"

namespace attune::runtime {
namespace {

struct DescrName {
  std::string_view Name; ///< Without the character for the byte order.
  attune_dtype Dtype;
};

constexpr DescrName DescrNames[] = {
    {"f4", ATTUNE_FLOAT32}, {"f8", ATTUNE_FLOAT64}, {"f2", ATTUNE_FLOAT16},
    {"b1", ATTUNE_BOOL},    {"u1", ATTUNE_UINT8},   {"i1", ATTUNE_INT8},
    {"i2", ATTUNE_INT16},   {"i4", ATTUNE_INT32},   {"i8", ATTUNE_INT64}};

class HeaderReader {
public:
  explicit HeaderReader(std::string_view Text) : Text(Text) {}

  NpyHeader read();

private:
  [[noreturn]] void expected(const std::string &What) const {
    refuse("byte " + std::to_string(At) + " of the header: expected " + What);
  }
  void skipSpaces() {
    while (At < Text.size() && Text[At] == ' ')
      ++At;
  }
  /// Takes \p Token and the spaces before it if they come next.
  bool take(std::string_view Token);
  void require(std::string_view Token, const std::string &What) {
    if (!take(Token))
      expected(What);
  }
  std::string_view string();
  attune_dtype descr();
  bool boolean();
  void shape();
  int64_t size();

  std::string_view Text;
  size_t At = 0;
  NpyHeader Result;
};

bool HeaderReader::take(std::string_view Token) {
  skipSpaces();
  if (Text.substr(At, Token.size()) != Token)
    return false;
  At += Token.size();
  return true;
}

std::string_view HeaderReader::string() {
  skipSpaces();
  char Quote = At < Text.size() ? Text[At] : '\0';
  if (Quote != '\'' && Quote != '"')
    expected("a string in quotes");
  size_t End = Text.find(Quote, At + 1);
  if (End == std::string_view::npos)
    expected("a string that ends");
  std::string_view Value = Text.substr(At + 1, End - At - 1);
  if (Value.find('\\') != std::string_view::npos)
    expected("a string without escapes");
  At = End + 1;
  return Value;
}

attune_dtype HeaderReader::descr() {
  skipSpaces();
  if (At < Text.size() && Text[At] == '[')
    refuse("descr is a structured type, expected a plain one such as '<f4'");
  std::string_view Value = string();
  char Order = Value.empty() ? '\0' : Value[0];
  if (Order == '>')
    refuse("descr " + quoteText(Value) +
           " is big-endian, expected little-endian: convert with "
           "array.astype(array.dtype.newbyteorder('<'))");
  if (Order == '<' || Order == '|' || Order == '=')
    for (const DescrName &Row : DescrNames)
      if (Value.substr(1) == Row.Name)
        return Row.Dtype;
  refuse("descr " + quoteText(Value) +
         " is not supported, expected <f4, <f8, <f2, |b1, |u1, |i1, <i2, <i4 or <i8");
}

bool HeaderReader::boolean() {
  if (take("True"))
    return true;
  require("False", "True or False");
  return false;
}

int64_t HeaderReader::size() {
  skipSpaces();
  size_t Begin = At;
  int64_t Value = 0;
  for (; At < Text.size() && Text[At] >= '0' && Text[At] <= '9'; ++At)
    if (__builtin_mul_overflow(Value, 10, &Value) ||
        __builtin_add_overflow(Value, Text[At] - '0', &Value))
      refuse("a size in shape is too large");
  if (At == Begin || (Text[Begin] == '0' && At > Begin + 1))
    expected("a size: a number of 0 or more");
  return Value;
}

void HeaderReader::shape() {
  require("(", "( of a tuple");
  bool AfterComma = true; // Of a tuple with one element, only the comma makes it a tuple.
  while (!take(")")) {
    if (!AfterComma)
      expected("a comma or )");
    if (Result.Rank == ATTUNE_MAX_RANK)
      refuse("has more than " + std::to_string(ATTUNE_MAX_RANK) + " dimensions");
    Result.Sizes[Result.Rank++] = size();
    AfterComma = take(",");
  }
  if (Result.Rank == 1 && !AfterComma)
    expected("a comma in a tuple of one element");
}

NpyHeader HeaderReader::read() {
  enum { Descr = 1, Order = 2, Shape = 4, All = 7 };
  int Seen = 0;
  require("{", "{");
  bool AfterComma = true;
  while (!take("}")) {
    if (!AfterComma)
      expected("a comma or }");
    std::string_view Key = string();
    int Field = Key == "descr"           ? Descr
                : Key == "fortran_order" ? Order
                : Key == "shape"         ? Shape
                                         : 0;
    if (Field == 0)
      refuse("the header's key " + quoteText(Key) +
             " is unknown, expected descr, fortran_order and shape");
    if (Seen & Field)
      refuse("the header's key " + quoteText(Key) + " occurs twice");
    Seen |= Field;
    require(":", "a colon");
    if (Field == Descr)
      Result.Dtype = descr();
    else if (Field == Order)
      Result.FortranOrder = boolean();
    else
      shape();
    AfterComma = take(",");
  }
  if (Seen != All)
    refuse(std::string("the header lacks ") + (!(Seen & Descr)   ? "descr"
                                               : !(Seen & Order) ? "fortran_order"
                                                                 : "shape"));
  skipSpaces();
  if (Text.substr(At) != "\n")
    expected("spaces and a newline at the end");
  return Result;
}

} // namespace

NpyHeader parseNpyHeader(std::string_view Text) { return HeaderReader(Text).read(); }

} // namespace attune::runtime
