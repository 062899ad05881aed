//===- zip.cpp - Zip archives of stored entries -----------------------------------------------===//
//
// What PyTorch and NumPy write, and no more: an archive is local headers, each followed by its
// entry's data, then the directory, then the end record (with a zip64 end record before it where
// numbers are large; PyTorch always writes one). PyTorch puts sizes and checksums behind the data,
// into a descriptor, and pads headers with an extra field; NumPy gives every local header a zip64
// extra field.
//
//===------------------------------------------------------------------------------------------===//

#include "zip.h"

#include "tensor_file_text.h"

#include <algorithm>
#include <numeric>

namespace attune::runtime {

/// Where the directory lies and how many entries it has.
struct ZipArchive::Directory {
  uint64_t Begin = 0;
  uint64_t Bytes = 0;
  uint64_t Count = 0;
};

namespace {

constexpr uint32_t LocalSignature = 0x04034b50, CentralSignature = 0x02014b50,
                   EndSignature = 0x06054b50, End64Signature = 0x06064b50,
                   Locator64Signature = 0x07064b50, DescriptorSignature = 0x08074b50;
constexpr uint64_t LocalBytes = 30, CentralBytes = 46, EndBytes = 22, End64Bytes = 56,
                   Locator64Bytes = 20, DescriptorBytes = 16, Descriptor64Bytes = 24;
/// More than a file of the most tensors needs; bounds the memory for the directory.
constexpr uint64_t MaxEntries = uint64_t{1} << 18;
constexpr uint16_t HasDescriptor = 1 << 3, Utf8Names = 1 << 11;
constexpr uint16_t AnyEncryption = 1 << 0 | 1 << 6 | 1 << 13;
/// A number of 16 or 32 bits that says: the real one is in a zip64 record.
constexpr uint64_t Large16 = 0xffff, Large32 = 0xffffffff;

/// Takes little-endian numbers off the front of a text that is long enough.
uint64_t takeNumber(std::string_view &Bytes, size_t Count) {
  uint64_t Value = loadLittleEndian(Bytes.data(), Count);
  Bytes.remove_prefix(Count);
  return Value;
}

std::string entryText(std::string_view Name) { return "zip entry " + quoteText(Name); }

/// The zip64 extra field among an entry's extra fields; empty if there is none.
std::string_view findZip64(std::string_view Name, std::string_view Extra) {
  constexpr uint64_t Zip64Id = 1, UnicodePathId = 0x7075;
  std::string_view Found;
  while (!Extra.empty()) {
    if (Extra.size() < 4)
      refuse(entryText(Name) + ": an extra field is cut off");
    uint64_t Id = takeNumber(Extra, 2), Bytes = takeNumber(Extra, 2);
    if (Bytes > Extra.size())
      refuse(entryText(Name) + ": an extra field is cut off");
    if (Id == UnicodePathId) // Some readers take it in place of the name.
      refuse(entryText(Name) + ": an extra field gives it another name");
    if (Id == Zip64Id) {
      if (!Found.empty())
        refuse(entryText(Name) + ": has two zip64 extra fields");
      Found = Extra.substr(0, Bytes);
    }
    Extra.remove_prefix(Bytes);
  }
  return Found;
}

/// Replaces a number that is too large for 32 bits by the next one of the zip64 extra field.
void widen(std::string_view Name, uint64_t &Number, std::string_view &Zip64) {
  if (Number != Large32)
    return;
  if (Zip64.size() < 8)
    refuse(entryText(Name) + ": its zip64 extra field is missing or too short");
  Number = takeNumber(Zip64, 8);
}

/// Refuses what this reader, by design, does not know.
void checkKind(const ZipEntry &Entry, uint64_t Method) {
  if (Entry.Flags & AnyEncryption)
    refuse(entryText(Entry.Name) + ": is encrypted");
  if (Entry.Flags & ~(HasDescriptor | Utf8Names))
    refuse(entryText(Entry.Name) + ": its flags are " + std::to_string(Entry.Flags) +
           ", expected only those for a data descriptor (8) and for UTF-8 (2048)");
  if (Method != 0)
    refuse(entryText(Entry.Name) + ": is compressed (method " + std::to_string(Method) +
           "), expected stored" +
           (Entry.Name.ends_with(".npy")
                ? ": write the file with numpy.savez, not numpy.savez_compressed"
                : ""));
}

} // namespace

ZipArchive::ZipArchive(const Source &From) : From(From) {
  Directory Where = findDirectory();
  readEntries(Where);
  checkTiling(Where);
  indexNames();
}

ZipArchive::Directory ZipArchive::findDirectory() const {
  uint64_t Size = From.size();
  char Buffer[EndBytes];
  if (Size >= EndBytes)
    From.read(Size - EndBytes, Buffer, EndBytes);
  std::string_view End(Buffer, EndBytes);
  if (Size < EndBytes || takeNumber(End, 4) != EndSignature)
    refuse("does not end with the end record of a zip archive: it is cut off, or something "
           "follows it");
  uint64_t Disk = takeNumber(End, 2), DirectoryDisk = takeNumber(End, 2);
  uint64_t CountHere = takeNumber(End, 2);
  Directory Where;
  Where.Count = takeNumber(End, 2);
  Where.Bytes = takeNumber(End, 4);
  Where.Begin = takeNumber(End, 4);
  uint64_t CommentBytes = takeNumber(End, 2);
  if (Disk != 0 || DirectoryDisk != 0 || CountHere != Where.Count || CommentBytes != 0)
    refuse("the end record of the zip archive speaks of several disks or has a comment");
  uint64_t Limit = Size - EndBytes; // Where the directory must end.
  readZip64(Where, Limit);
  if (Where.Begin > Limit || Where.Bytes != Limit - Where.Begin)
    refuse("the zip archive's directory has " + std::to_string(Where.Bytes) + " bytes at byte " +
           std::to_string(Where.Begin) + ", expected to end at byte " + std::to_string(Limit));
  if (Where.Count > MaxEntries || Where.Count > Where.Bytes / CentralBytes)
    refuse("the zip archive's directory claims " + std::to_string(Where.Count) + " entries in " +
           std::to_string(Where.Bytes) + " bytes, expected at most " + std::to_string(MaxEntries) +
           " with at least " + std::to_string(CentralBytes) + " bytes each");
  return Where;
}

/// Reads the zip64 end record, if there is one before \p Limit: moves Limit before it and replaces
/// \p Where by the wider numbers.
void ZipArchive::readZip64(Directory &Where, uint64_t &Limit) const {
  if (Limit < Locator64Bytes + End64Bytes)
    return;
  char LocatorBuffer[Locator64Bytes], RecordBuffer[End64Bytes];
  From.read(Limit - Locator64Bytes, LocatorBuffer, Locator64Bytes);
  std::string_view Locator(LocatorBuffer, Locator64Bytes), Record(RecordBuffer, End64Bytes);
  if (takeNumber(Locator, 4) != Locator64Signature)
    return;
  Limit -= Locator64Bytes + End64Bytes;
  From.read(Limit, RecordBuffer, End64Bytes);
  uint64_t LocatorDisk = takeNumber(Locator, 4), RecordBegin = takeNumber(Locator, 8),
           Disks = takeNumber(Locator, 4);
  uint64_t Signature = takeNumber(Record, 4), RecordRest = takeNumber(Record, 8);
  Record.remove_prefix(4); // Versions.
  uint64_t Disk = takeNumber(Record, 4), DirectoryDisk = takeNumber(Record, 4);
  uint64_t CountHere = takeNumber(Record, 8);
  Directory Wide;
  Wide.Count = takeNumber(Record, 8);
  Wide.Bytes = takeNumber(Record, 8);
  Wide.Begin = takeNumber(Record, 8);
  bool Good = LocatorDisk == 0 && RecordBegin == Limit && Disks == 1 &&
              Signature == End64Signature && RecordRest == End64Bytes - 12 && Disk == 0 &&
              DirectoryDisk == 0 && CountHere == Wide.Count;
  auto Agree = [](uint64_t Narrow, uint64_t Large, uint64_t Number) {
    return Narrow == Large || Narrow == Number;
  };
  if (!Good || !Agree(Where.Count, Large16, Wide.Count) ||
      !Agree(Where.Bytes, Large32, Wide.Bytes) || !Agree(Where.Begin, Large32, Wide.Begin))
    refuse("the end records of the zip archive contradict each other");
  Where = Wide;
}

void ZipArchive::readEntries(const Directory &Where) {
  std::string Buffer(Where.Bytes, '\0');
  From.read(Where.Begin, Buffer.data(), Buffer.size());
  Entries.reserve(Where.Count);
  std::string_view Rest = Buffer;
  for (uint64_t I = 0; I < Where.Count; ++I) {
    std::string_view Fields = Rest.substr(0, CentralBytes);
    if (Fields.size() < CentralBytes || takeNumber(Fields, 4) != CentralSignature)
      refuse("record " + std::to_string(I) + " of the zip archive's directory is malformed");
    ZipEntry &Entry = Entries.emplace_back();
    Fields.remove_prefix(4); // Versions.
    Entry.Flags = static_cast<uint16_t>(takeNumber(Fields, 2));
    uint64_t Method = takeNumber(Fields, 2);
    Fields.remove_prefix(4); // Time.
    Entry.Checksum = static_cast<uint32_t>(takeNumber(Fields, 4));
    uint64_t StoredSize = takeNumber(Fields, 4);
    Entry.Size = takeNumber(Fields, 4);
    uint64_t NameBytes = takeNumber(Fields, 2), ExtraBytes = takeNumber(Fields, 2),
             CommentBytes = takeNumber(Fields, 2), Disk = takeNumber(Fields, 2);
    Fields.remove_prefix(6); // Attributes.
    Entry.HeaderBegin = takeNumber(Fields, 4);
    Rest.remove_prefix(CentralBytes);
    if (NameBytes + ExtraBytes + CommentBytes > Rest.size())
      refuse("record " + std::to_string(I) + " of the zip archive's directory is cut off");
    Entry.Name = Rest.substr(0, NameBytes);
    checkName("zip entry's name", Entry.Name);
    checkKind(Entry, Method);
    std::string_view Zip64 = findZip64(Entry.Name, Rest.substr(NameBytes, ExtraBytes));
    widen(Entry.Name, Entry.Size, Zip64);
    widen(Entry.Name, StoredSize, Zip64);
    widen(Entry.Name, Entry.HeaderBegin, Zip64);
    if (StoredSize != Entry.Size || Disk != 0)
      refuse(entryText(Entry.Name) + ": its sizes differ, or it lies on another disk");
    Rest.remove_prefix(NameBytes + ExtraBytes + CommentBytes);
  }
  if (!Rest.empty())
    refuse("the zip archive's directory has " + std::to_string(Rest.size()) + " bytes left over");
}

/// Checks an entry's local header against the directory, finds its data, and checks that these end
/// at \p End.
void ZipArchive::checkHeader(ZipEntry &Entry, uint64_t End) const {
  char Buffer[LocalBytes];
  if (End - Entry.HeaderBegin < LocalBytes)
    refuse(entryText(Entry.Name) + ": its header overlaps what follows");
  From.read(Entry.HeaderBegin, Buffer, LocalBytes);
  std::string_view Fields(Buffer, LocalBytes);
  uint64_t Signature = takeNumber(Fields, 4);
  Fields.remove_prefix(2); // Version.
  uint64_t Flags = takeNumber(Fields, 2), Method = takeNumber(Fields, 2);
  Fields.remove_prefix(4); // Time.
  uint64_t Checksum = takeNumber(Fields, 4), StoredSize = takeNumber(Fields, 4),
           Size = takeNumber(Fields, 4), NameBytes = takeNumber(Fields, 2),
           ExtraBytes = takeNumber(Fields, 2);
  uint64_t Left = End - Entry.HeaderBegin - LocalBytes;
  if (NameBytes + ExtraBytes > Left || Entry.Size > Left - NameBytes - ExtraBytes)
    refuse(entryText(Entry.Name) + ": its data overlap what follows");
  Entry.DataBegin = Entry.HeaderBegin + LocalBytes + NameBytes + ExtraBytes;
  std::string Text(NameBytes + ExtraBytes, '\0');
  From.read(Entry.HeaderBegin + LocalBytes, Text.data(), Text.size());
  std::string_view Name = std::string_view(Text).substr(0, NameBytes);
  std::string_view Zip64 = findZip64(Entry.Name, std::string_view(Text).substr(NameBytes));
  widen(Entry.Name, Size, Zip64);
  widen(Entry.Name, StoredSize, Zip64);
  // Numbers in the descriptor are zero here, or are here as well.
  bool Later = (Flags & HasDescriptor) && Checksum == 0 && StoredSize == 0 && Size == 0;
  bool Same = Checksum == Entry.Checksum && StoredSize == Entry.Size && Size == Entry.Size;
  if (Signature != LocalSignature || Flags != Entry.Flags || Method != 0 || Name != Entry.Name ||
      !(Later || Same))
    refuse(entryText(Entry.Name) + ": its header and the directory differ");
  checkGap(Entry, End);
}

/// Checks what lies between an entry's data and \p End: its descriptor or nothing.
void ZipArchive::checkGap(const ZipEntry &Entry, uint64_t End) const {
  uint64_t Begin = Entry.DataBegin + Entry.Size, Gap = End - Begin;
  // PyTorch leaves the descriptor of an empty entry out.
  if (Gap == 0 && (!(Entry.Flags & HasDescriptor) || Entry.Size == 0))
    return;
  if (!(Entry.Flags & HasDescriptor) || (Gap != DescriptorBytes && Gap != Descriptor64Bytes))
    refuse(entryText(Entry.Name) + ": " + std::to_string(Gap) +
           " unexpected bytes follow its data (a hole)");
  char Buffer[Descriptor64Bytes];
  From.read(Begin, Buffer, Gap);
  std::string_view Fields(Buffer, Gap);
  size_t NumberBytes = Gap == DescriptorBytes ? 4 : 8;
  uint64_t Signature = takeNumber(Fields, 4), Checksum = takeNumber(Fields, 4),
           StoredSize = takeNumber(Fields, NumberBytes), Size = takeNumber(Fields, NumberBytes);
  if (Signature != DescriptorSignature || Checksum != Entry.Checksum || StoredSize != Entry.Size ||
      Size != Entry.Size)
    refuse(entryText(Entry.Name) + ": its data descriptor and the directory differ");
}

/// Checks that entries follow each other from the file's start to the directory.
void ZipArchive::checkTiling(const Directory &Where) {
  std::vector<uint32_t> Order(Entries.size());
  std::iota(Order.begin(), Order.end(), uint32_t{0});
  std::sort(Order.begin(), Order.end(), [&](uint32_t A, uint32_t B) {
    return Entries[A].HeaderBegin < Entries[B].HeaderBegin;
  });
  uint64_t First = Order.empty() ? Where.Begin : Entries[Order[0]].HeaderBegin;
  if (First != 0)
    refuse("the zip archive's first entry begins at byte " + std::to_string(First) +
           ", expected 0 (a hole)");
  for (size_t I = 0; I < Order.size(); ++I) {
    uint64_t End = I + 1 < Order.size() ? Entries[Order[I + 1]].HeaderBegin : Where.Begin;
    if (End > Where.Begin)
      refuse(entryText(Entries[Order[I + 1]].Name) + ": lies behind the directory");
    checkHeader(Entries[Order[I]], End);
  }
}

void ZipArchive::indexNames() {
  ByName.resize(Entries.size());
  std::iota(ByName.begin(), ByName.end(), uint32_t{0});
  std::sort(ByName.begin(), ByName.end(),
            [&](uint32_t A, uint32_t B) { return Entries[A].Name < Entries[B].Name; });
  auto Twice = std::adjacent_find(ByName.begin(), ByName.end(), [&](uint32_t A, uint32_t B) {
    return Entries[A].Name == Entries[B].Name;
  });
  if (Twice != ByName.end())
    refuse(entryText(Entries[*Twice].Name) + ": occurs twice");
}

const ZipEntry *ZipArchive::find(std::string_view Name) const {
  auto Found =
      std::lower_bound(ByName.begin(), ByName.end(), Name,
                       [&](uint32_t I, std::string_view Key) { return Entries[I].Name < Key; });
  return Found != ByName.end() && Entries[*Found].Name == Name ? &Entries[*Found] : nullptr;
}

void ZipArchive::verify(const ZipEntry &Entry, uint32_t Checksum) const {
  if (Checksum != Entry.Checksum)
    refuse(entryText(Entry.Name) + ": the checksum of its data is wrong: the file is damaged");
}

void ZipArchive::read(const ZipEntry &Entry, void *Target) const {
  ByteReader Reader = open(Entry);
  Reader.read(Target, Entry.Size);
  verify(Entry, Reader.checksum());
}

} // namespace attune::runtime
