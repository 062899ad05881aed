//===- safetensors_header.cpp - The JSON header of a .safetensors file ------------------------===//
//
// The header is untrusted. It is read as a stream of JSON events, so that duplicate keys are seen
// and nothing is built that the format does not know.
//
//===------------------------------------------------------------------------------------------===//

#include "safetensors_header.h"

#include "tensor_file_data.h"
#include "tensor_file_text.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <set>

namespace attune::runtime {
namespace {

struct DtypeName {
  const char *Name;
  attune_dtype Dtype;
};

constexpr DtypeName DtypeNames[] = {{"BOOL", ATTUNE_BOOL},   {"U8", ATTUNE_UINT8},
                                    {"I8", ATTUNE_INT8},     {"I16", ATTUNE_INT16},
                                    {"I32", ATTUNE_INT32},   {"I64", ATTUNE_INT64},
                                    {"F16", ATTUNE_FLOAT16}, {"BF16", ATTUNE_BFLOAT16},
                                    {"F32", ATTUNE_FLOAT32}, {"F64", ATTUNE_FLOAT64}};

/// Receives the JSON events of a header. Returning false stops the parser; Problem says why.
class HeaderReader : public nlohmann::json_sax<nlohmann::json> {
public:
  explicit HeaderReader(std::vector<TensorEntry> &Entries) : Entries(Entries) {}

  std::string Problem;

  bool null() override { return unexpected("null"); }
  bool boolean(bool) override { return unexpected("a boolean"); }
  bool number_integer(number_integer_t) override { return unexpected("a negative number"); }
  bool number_float(number_float_t, const string_t &) override {
    return unexpected("a number that is no integer below 2^64");
  }
  bool binary(binary_t &) override { return unexpected("binary data"); }

  bool number_unsigned(number_unsigned_t Value) override;
  bool string(string_t &Value) override;
  bool start_object(size_t) override;
  bool key(string_t &Key) override;
  bool end_object() override;
  bool start_array(size_t) override;
  bool end_array() override;
  bool parse_error(size_t Position, const std::string &,
                   const nlohmann::json::exception &) override {
    return refuse("byte " + std::to_string(Position) + " of the header is not valid JSON");
  }

private:
  enum class Place { Start, Top, Metadata, Tensor, Shape, Offsets, End };
  enum Field { NoField = 0, DtypeField = 1, ShapeField = 2, OffsetsField = 4, AllFields = 7 };

  bool refuse(std::string Text) {
    Problem = std::move(Text);
    return false;
  }
  bool unexpected(const char *What);
  std::string where() const;
  bool tensorKey(const std::string &Key);

  std::vector<TensorEntry> &Entries;
  Place At = Place::Start;
  std::string PendingKey; ///< Of the top level, before its value.
  int Expected = NoField; ///< The field whose value comes next.
  int Seen = NoField;
  int OffsetCount = 0;
  bool SeenMetadata = false;
  std::set<std::string> MetadataKeys;
};

std::string HeaderReader::where() const {
  switch (At) {
  case Place::Metadata:
    return MetadataKey;
  case Place::Tensor:
  case Place::Shape:
  case Place::Offsets:
    return "tensor " + quoteText(Entries.back().Name);
  case Place::Top:
    return PendingKey.empty() ? "the header" : "tensor " + quoteText(PendingKey);
  default:
    return "the header";
  }
}

bool HeaderReader::unexpected(const char *What) {
  return refuse(where() + ": " + What + " stands where it does not belong");
}

bool HeaderReader::start_object(size_t) {
  switch (At) {
  case Place::Start:
    At = Place::Top;
    return true;
  case Place::Top:
    if (PendingKey == MetadataKey) {
      if (SeenMetadata)
        return refuse(std::string(MetadataKey) + " occurs twice");
      SeenMetadata = true;
      At = Place::Metadata;
      return true;
    }
    if (Entries.size() == MaxTensors)
      return refuse("there are more than " + std::to_string(MaxTensors) + " tensors");
    Entries.emplace_back().Name = PendingKey;
    At = Place::Tensor;
    Expected = Seen = NoField;
    return true;
  default:
    return unexpected("an object");
  }
}

bool HeaderReader::key(string_t &Key) {
  switch (At) {
  case Place::Top:
    if (Key.find('\0') != std::string::npos)
      return refuse("the name " + quoteText(Key) + " contains a null character");
    PendingKey = Key;
    return true;
  case Place::Metadata:
    if (MetadataKeys.size() == MaxTensors)
      return refuse(std::string(MetadataKey) + " has more than " + std::to_string(MaxTensors) +
                    " keys");
    if (!MetadataKeys.insert(Key).second)
      return refuse(std::string(MetadataKey) + ": key " + quoteText(Key) + " occurs twice");
    return true;
  default:
    return tensorKey(Key);
  }
}

bool HeaderReader::tensorKey(const std::string &Key) {
  Expected = Key == "dtype"          ? DtypeField
             : Key == "shape"        ? ShapeField
             : Key == "data_offsets" ? OffsetsField
                                     : NoField;
  if (Expected == NoField)
    return refuse(where() + ": key " + quoteText(Key) +
                  " is unknown, expected dtype, shape and data_offsets");
  if (Seen & Expected)
    return refuse(where() + ": key " + quoteText(Key) + " occurs twice");
  Seen |= Expected;
  return true;
}

bool HeaderReader::string(string_t &Value) {
  if (At == Place::Metadata)
    return true;
  if (At != Place::Tensor || Expected != DtypeField)
    return unexpected("a string");
  for (const DtypeName &Row : DtypeNames)
    if (Value == Row.Name) {
      Entries.back().Dtype = Row.Dtype;
      Expected = NoField;
      return true;
    }
  return refuse(where() + ": dtype " + quoteText(Value) +
                " is not supported, expected BOOL, U8, I8, I16, I32, I64, F16, BF16, F32 or F64");
}

bool HeaderReader::start_array(size_t) {
  if (At != Place::Tensor || (Expected != ShapeField && Expected != OffsetsField))
    return unexpected("an array");
  At = Expected == ShapeField ? Place::Shape : Place::Offsets;
  OffsetCount = 0;
  return true;
}

bool HeaderReader::number_unsigned(number_unsigned_t Value) {
  if (At == Place::Shape) {
    TensorEntry &Entry = Entries.back();
    if (Entry.Rank == ATTUNE_MAX_RANK)
      return refuse(where() + ": has more than " + std::to_string(ATTUNE_MAX_RANK) + " dimensions");
    if (Value > static_cast<uint64_t>(INT64_MAX))
      return refuse(where() + ": size " + std::to_string(Value) + " is too large");
    Entry.Sizes[Entry.Rank++] = static_cast<int64_t>(Value);
    return true;
  }
  if (At == Place::Offsets) {
    if (OffsetCount == 2)
      return refuse(where() + ": data_offsets has more than 2 values");
    (OffsetCount++ == 0 ? Entries.back().Begin : Entries.back().End) = Value;
    return true;
  }
  return unexpected("a number");
}

bool HeaderReader::end_array() {
  if (At == Place::Offsets && OffsetCount != 2)
    return refuse(where() + ": data_offsets has " + std::to_string(OffsetCount) +
                  " values, expected 2");
  At = Place::Tensor;
  Expected = NoField;
  return true;
}

bool HeaderReader::end_object() {
  if (At == Place::Tensor && Seen != AllFields)
    return refuse(where() + ": lacks " +
                  (!(Seen & DtypeField)   ? "dtype"
                   : !(Seen & ShapeField) ? "shape"
                                          : "data_offsets"));
  At = At == Place::Top ? Place::End : Place::Top;
  PendingKey.clear();
  return true;
}

/// Refuses what would make the JSON reader buffer too much, and null bytes, at which it would stop.
std::string checkRaw(std::string_view Header) {
  if (Header.empty() || Header.front() != '{')
    return "the header does not start with {";
  if (Header.find('\0') != std::string_view::npos)
    return "the header contains a null byte";
  size_t TokenStart = 0;
  bool InString = false;
  for (size_t I = 0; I < Header.size(); ++I) {
    char C = Header[I];
    if (InString && C == '\\') {
      ++I;
    } else if (C == '"') {
      InString = !InString;
      TokenStart = I;
    } else if (!InString && std::strchr("{}[],:", C)) {
      TokenStart = I;
    }
    if (I - TokenStart > MaxTokenBytes)
      return "byte " + std::to_string(TokenStart) + " of the header starts a text of more than " +
             std::to_string(MaxTokenBytes) + " bytes";
  }
  return {};
}

/// Checks that sizes and offsets agree and that the tensors tile the data.
std::string checkLayout(uint64_t DataBytes, const std::vector<TensorEntry> &Entries) {
  std::vector<uint32_t> Order(Entries.size());
  for (uint32_t I = 0; I < Order.size(); ++I)
    Order[I] = I;
  std::sort(Order.begin(), Order.end(), [&](uint32_t A, uint32_t B) {
    return std::pair(Entries[A].Begin, Entries[A].End) <
           std::pair(Entries[B].Begin, Entries[B].End);
  });
  uint64_t Cursor = 0;
  for (uint32_t Index : Order) {
    const TensorEntry &Entry = Entries[Index];
    std::string Name = "tensor " + quoteText(Entry.Name);
    uint64_t Bytes;
    if (!denseBytes(Entry.Dtype, Entry.Rank, Entry.Sizes, Bytes))
      return Name + ": the product of its sizes is too large";
    if (Entry.End < Entry.Begin || Entry.End - Entry.Begin != Bytes)
      return Name + ": data_offsets are " + std::to_string(Entry.Begin) + " and " +
             std::to_string(Entry.End) + ", expected " + std::to_string(Bytes) +
             " bytes for its sizes";
    if (Entry.Begin != Cursor)
      return Name + ": data begins at offset " + std::to_string(Entry.Begin) + ", expected " +
             std::to_string(Cursor) + (Entry.Begin > Cursor ? " (a hole)" : " (an overlap)");
    Cursor = Entry.End;
  }
  if (Cursor != DataBytes)
    return "the tensors need " + std::to_string(Cursor) + " bytes of data, the file has " +
           std::to_string(DataBytes);
  return {};
}

} // namespace

std::string parseHeader(std::string_view Header, uint64_t DataBytes,
                        std::vector<TensorEntry> &Entries) {
  if (std::string Problem = checkRaw(Header); !Problem.empty())
    return Problem;
  HeaderReader Reader(Entries);
  if (!nlohmann::json::sax_parse(Header.data(), Header.data() + Header.size(), &Reader))
    return Reader.Problem.empty() ? "the header is not valid JSON" : Reader.Problem;
  return checkLayout(DataBytes, Entries);
}

const char *fileDtypeName(attune_dtype Dtype) {
  for (const DtypeName &Row : DtypeNames)
    if (Row.Dtype == Dtype)
      return Row.Name;
  return nullptr;
}

} // namespace attune::runtime
