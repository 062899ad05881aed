//===- tensor_file.cpp - Reading tensor files -------------------------------------------------===//
//
// The C interface, and which reader a file's first bytes ask for.
//
//===------------------------------------------------------------------------------------------===//

#include "attune/tensor_file.h"

#include "error.h"
#include "npy.h"
#include "safetensors.h"
#include "tensor_file_data.h"
#include "tensor_file_source.h"
#include "tensor_file_text.h"
#include "torch_file.h"
#include "zip.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>

using namespace attune::runtime;

struct attune_tensor_file {
  std::string Path; ///< For messages.
  FileData Data;
  std::vector<uint32_t> ByName; ///< Indices of tensors, sorted by name.
};

namespace {

/// The file's name without folders and the last extension: what a tensor without a name is called.
std::string_view stemOf(std::string_view Path) {
  Path = Path.substr(Path.rfind('/') + 1);
  size_t Dot = Path.rfind('.');
  return Dot == 0 || Dot == std::string_view::npos ? Path : Path.substr(0, Dot);
}

FileData readZip(const Source &From, std::string_view Stem) {
  ZipArchive Archive(From);
  return isTorchArchive(Archive) ? readTorchFile(Archive, Stem) : readNpz(Archive);
}

FileData readFile(const Source &From, std::string_view Stem) {
  constexpr size_t Most = 9;
  char Bytes[Most] = {};
  From.read(0, Bytes, std::min<uint64_t>(Most, From.size()));
  std::string_view Start(Bytes, Most);
  // First, because the length that such a file starts with can look like any of the others.
  if (Start.substr(4) == std::string_view("\0\0\0\0{", 5))
    return readSafetensors(From);
  if (Start.starts_with("\x93NUMPY"))
    return readNpy(From, Stem);
  for (std::string_view Signature : {"PK\3\4", "PK\5\6"})
    if (Start.starts_with(Signature))
      return readZip(From, Stem);
  if (Start[0] == '\x80' && Start[1] >= 2 && Start[1] <= 5)
    refuse("is in PyTorch's legacy format or another bare pickle; load it in Python and save it "
           "again with torch.save(model.state_dict(), file)");
  return readSafetensors(From);
}

attune_status load(const Source &From, const char *Name, attune_tensor_file **Result) {
  auto File = std::make_unique<attune_tensor_file>();
  File->Path = Name;
  File->Data = readFile(From, stemOf(Name));
  const std::vector<FileTensor> &Tensors = File->Data.Tensors;
  File->ByName.resize(Tensors.size());
  for (uint32_t I = 0; I < File->ByName.size(); ++I)
    File->ByName[I] = I;
  std::sort(File->ByName.begin(), File->ByName.end(),
            [&](uint32_t A, uint32_t B) { return Tensors[A].Name < Tensors[B].Name; });
  auto Twice =
      std::adjacent_find(File->ByName.begin(), File->ByName.end(), [&](uint32_t A, uint32_t B) {
        return Tensors[A].Name == Tensors[B].Name;
      });
  if (Twice != File->ByName.end())
    refuse("tensor " + quoteText(Tensors[*Twice].Name) + " occurs twice");
  *Result = File.release();
  return ATTUNE_OK;
}

/// Runs \p Body, and turns an exception into a status: none may cross the C interface.
template <typename Function> attune_status guarded(const char *Name, Function Body) noexcept {
  try {
    return Body();
  } catch (const FileError &Error) {
    return fail(Error.Status, "%s: %s", Name, Error.Text.c_str());
  } catch (const std::bad_alloc &) {
    return fail(ATTUNE_OUT_OF_MEMORY, "%s: out of memory", Name);
  } catch (...) {
    return fail(ATTUNE_BAD_FILE, "%s: cannot be read", Name);
  }
}

/// Levenshtein's distance, of which one row is kept.
size_t editDistance(std::string_view A, std::string_view B) {
  std::vector<size_t> Row(B.size() + 1);
  for (size_t J = 0; J <= B.size(); ++J)
    Row[J] = J;
  for (size_t I = 1; I <= A.size(); ++I) {
    size_t Diagonal = Row[0];
    Row[0] = I;
    for (size_t J = 1; J <= B.size(); ++J) {
      size_t Above = Row[J];
      Row[J] = std::min({Above + 1, Row[J - 1] + 1, Diagonal + (A[I - 1] != B[J - 1])});
      Diagonal = Above;
    }
  }
  return Row[B.size()];
}

/// The names of up to three tensors that look most like \p Name.
std::string nearestNames(const attune_tensor_file &File, std::string_view Name) {
  // Bounds the time that a hostile file can take here.
  constexpr size_t MostNames = 4096, Longest = 128, Shown = 3;
  std::vector<std::pair<size_t, size_t>> Ranked;
  for (size_t I = 0; I < std::min(File.Data.Tensors.size(), MostNames); ++I) {
    std::string_view Other = File.Data.Tensors[I].Name;
    Ranked.emplace_back(editDistance(Name.substr(0, Longest), Other.substr(0, Longest)), I);
  }
  std::sort(Ranked.begin(), Ranked.end());
  std::string Result;
  for (size_t I = 0; I < std::min(Ranked.size(), Shown); ++I)
    Result += (I ? ", " : "") + quoteText(File.Data.Tensors[Ranked[I].second].Name);
  return Result;
}

attune_status get(const attune_tensor_file &File, std::string_view Name, attune_tensor &Tensor) {
  const std::vector<FileTensor> &Tensors = File.Data.Tensors;
  auto Found = std::lower_bound(
      File.ByName.begin(), File.ByName.end(), Name,
      [&](uint32_t Index, std::string_view Key) { return Tensors[Index].Name < Key; });
  if (Found != File.ByName.end() && Tensors[*Found].Name == Name) {
    Tensor = Tensors[*Found].Tensor;
    return ATTUNE_OK;
  }
  if (Tensors.empty())
    return fail(ATTUNE_NOT_FOUND, "%s: tensor %s not found, the file has none", File.Path.c_str(),
                quoteText(Name).c_str());
  return fail(ATTUNE_NOT_FOUND, "%s: tensor %s not found, the nearest are %s", File.Path.c_str(),
              quoteText(Name).c_str(), nearestNames(File, Name).c_str());
}

} // namespace

attune_status attune_tensor_file_open(const char *path, attune_tensor_file **file) {
  if (!path || !file)
    return fail(ATTUNE_NULL_POINTER, "attune_tensor_file_open: %s: is null",
                path ? "file" : "path");
  *file = nullptr;
  return guarded(path, [&] { return load(Source(path), path, file); });
}

attune_status attune_tensor_file_parse(const void *bytes, size_t size, const char *name,
                                       attune_tensor_file **file) {
  if ((!bytes && size > 0) || !name || !file)
    return fail(ATTUNE_NULL_POINTER, "attune_tensor_file_parse: %s: is null",
                !file   ? "file"
                : !name ? "name"
                        : "bytes");
  *file = nullptr;
  return guarded(name, [&] { return load(Source(bytes, size), name, file); });
}

void attune_tensor_file_close(attune_tensor_file *file) { delete file; }

size_t attune_tensor_file_count(const attune_tensor_file *file) {
  return file ? file->Data.Tensors.size() : 0;
}

const char *attune_tensor_file_name(const attune_tensor_file *file, size_t index) {
  return file && index < file->Data.Tensors.size() ? file->Data.Tensors[index].Name.c_str()
                                                   : nullptr;
}

attune_status attune_tensor_file_get(const attune_tensor_file *file, const char *name,
                                     attune_tensor *tensor) {
  if (!file || !name || !tensor)
    return fail(ATTUNE_NULL_POINTER, "attune_tensor_file_get: %s: is null",
                !file   ? "file"
                : !name ? "name"
                        : "tensor");
  *tensor = {};
  return guarded(file->Path.c_str(), [&] { return get(*file, name, *tensor); });
}
