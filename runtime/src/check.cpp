//===- check.cpp - Checks of descriptors, types and sizes -------------------------------------===//

#include "check.h"

#include "cpu_features.h"
#include "raw_value.h"

#include <cinttypes>
#include <cstring>

namespace attune::runtime {

static constexpr uint32_t DtypeCount = ATTUNE_INT64 + 1;

static const char *dtypeName(uint32_t Dtype) {
  return Dtype < DtypeCount ? attune_dtype_name(static_cast<attune_dtype>(Dtype)) : "unknown";
}

attune_status CallSite::fail(attune_status Status, const char *Argument, const char *Format,
                             ...) const {
  TextBuilder Text;
  va_list Arguments;
  va_start(Arguments, Format);
  Text.appendList(Format, Arguments);
  va_end(Arguments);
  return runtime::fail(Status, "%s_%s: %s: %s", Module, Function, Argument, Text.text());
}

//===------------------------------------------------------------------------------------------===//
// Descriptors
//===------------------------------------------------------------------------------------------===//

static bool isSound(const attune_argument_spec *Specs, int32_t Count) {
  if (Count < 0 || Count > MaxArguments || (Count > 0 && !Specs))
    return false;
  for (int32_t I = 0; I < Count; ++I) {
    if (!Specs[I].name || Specs[I].rank < 0 || Specs[I].rank > ATTUNE_MAX_RANK)
      return false;
    for (int32_t D = 0; D < Specs[I].rank; ++D) {
      const attune_size_spec &Size = Specs[I].sizes[D];
      int64_t Least = Size.symbol == ATTUNE_SIZE_FIXED ? 0 : 1;
      if (Size.symbol < 0 || Size.symbol >= ATTUNE_SYMBOLS || Size.factor < Least)
        return false;
    }
  }
  return true;
}

attune_status checkModule(const attune_module &Module, const CallSite &Site) {
  if (Module.struct_size != sizeof(attune_module))
    return runtime::fail(ATTUNE_WRONG_VERSION,
                         "attune_%s: module: struct_size is %zu, expected %zu", Site.Function,
                         Module.struct_size, sizeof(attune_module));
  if (Module.abi_version != ATTUNE_ABI_VERSION)
    return runtime::fail(ATTUNE_WRONG_VERSION,
                         "attune_%s: module: was made for version %u of the interface, expected %u",
                         Site.Function, Module.abi_version, ATTUNE_ABI_VERSION);
  if (!Module.name || !isSound(Module.arguments, Module.argument_count) ||
      !isSound(Module.parameters, Module.parameter_count))
    return runtime::fail(ATTUNE_WRONG_VERSION, "attune_%s: module: its descriptor is damaged",
                         Site.Function);
  uint32_t Missing = Module.cpu_features & ~attune_cpu_features();
  if (Missing == 0)
    return ATTUNE_OK;
  TextBuilder Names;
  appendCpuFeatureNames(Names, Missing);
  return runtime::fail(ATTUNE_UNSUITABLE_CPU,
                       "%s_%s: module: needs CPU features that are missing here: %s", Module.name,
                       Site.Function, Names.text());
}

attune_status checkPackedHeader(const CallSite &Site, const attune_module &Module,
                                const attune_packed_header &Header) {
  if (memcmp(Header.magic, "attunepk", sizeof(Header.magic)) != 0)
    return Site.fail(ATTUNE_WRONG_PACKED, "packed",
                     "does not start with \"attunepk\", expected what %s_pack writes", Site.Module);
  if (Header.abi_version != ATTUNE_ABI_VERSION)
    return Site.fail(ATTUNE_WRONG_PACKED, "packed", "version is %u, expected %u",
                     Header.abi_version, ATTUNE_ABI_VERSION);
  if (Header.hash != Module.hash)
    return Site.fail(ATTUNE_WRONG_PACKED, "packed",
                     "hash is %016" PRIx64 ", expected %016" PRIx64
                     " (packed for another configuration, schedule or target)",
                     Header.hash, Module.hash);
  if (Header.dtype != ATTUNE_FLOAT32)
    return Site.fail(ATTUNE_WRONG_PACKED, "packed", "dtype is %s, expected float32",
                     dtypeName(Header.dtype));
  if (Header.size != static_cast<uint64_t>(Module.packed_size))
    return Site.fail(ATTUNE_WRONG_PACKED, "packed",
                     "size in its header is %" PRIu64 " bytes, expected %" PRId64, Header.size,
                     Module.packed_size);
  return ATTUNE_OK;
}

//===------------------------------------------------------------------------------------------===//
// Element types and sizes
//===------------------------------------------------------------------------------------------===//

static attune_status checkDtype(const CallSite &Site, const attune_argument_spec &Spec,
                                uint32_t Dtype) {
  if (Dtype < DtypeCount && (Spec.dtypes >> Dtype & 1))
    return ATTUNE_OK;
  TextBuilder Accepted;
  for (uint32_t D = 0; D < DtypeCount; ++D)
    if (Spec.dtypes >> D & 1)
      Accepted.append("%s%s", Accepted.empty() ? "" : " or ", dtypeName(D));
  if (Dtype >= DtypeCount)
    return Site.fail(ATTUNE_WRONG_DTYPE, Spec.name, "dtype is unknown (%u), expected %s", Dtype,
                     Accepted.text());
  return Site.fail(ATTUNE_WRONG_DTYPE, Spec.name, "dtype is %s, expected %s", dtypeName(Dtype),
                   Accepted.text());
}

static const char *symbolName(int32_t Symbol) {
  switch (Symbol) {
  case ATTUNE_SIZE_BATCH:
    return "batch size";
  case ATTUNE_SIZE_TARGET:
    return "target length";
  default:
    return "source length";
  }
}

static attune_status checkSymbolicSize(const CallSite &Site, const attune_argument_spec &Spec,
                                       int32_t Dimension, int64_t Found, SymbolTable &Symbols) {
  const attune_size_spec &Size = Spec.sizes[Dimension];
  const char *Name = symbolName(Size.symbol);
  int64_t &Value = Symbols.Sizes.value[Size.symbol];
  const char *&BoundBy = Symbols.BoundBy[Size.symbol];
  if (!BoundBy) {
    if (Found % Size.factor != 0)
      return Site.fail(ATTUNE_WRONG_SIZE, Spec.name,
                       "size of dimension %d is %" PRId64 ", expected a multiple of %" PRId64
                       " (%" PRId64 " x %s)",
                       Dimension, Found, Size.factor, Size.factor, Name);
    Value = Found / Size.factor;
    BoundBy = Spec.name;
    if (Value > LargestSize)
      return Site.fail(ATTUNE_WRONG_SIZE, Spec.name,
                       "size of dimension %d is %" PRId64 ", expected at most %" PRId64 " (%s)",
                       Dimension, Found, LargestSize * Size.factor, Name);
    return ATTUNE_OK;
  }
  int64_t Expected;
  if (__builtin_mul_overflow(Value, Size.factor, &Expected))
    return Site.fail(ATTUNE_WRONG_SIZE, Spec.name,
                     "size of dimension %d is %" PRId64 ", expected %" PRId64 " x %" PRId64
                     " (%s, from %s), which is too large",
                     Dimension, Found, Size.factor, Value, Name, BoundBy);
  if (Found == Expected)
    return ATTUNE_OK;
  if (Size.factor == 1)
    return Site.fail(ATTUNE_WRONG_SIZE, Spec.name,
                     "size of dimension %d is %" PRId64 ", expected %" PRId64 " (%s, from %s)",
                     Dimension, Found, Expected, Name, BoundBy);
  return Site.fail(ATTUNE_WRONG_SIZE, Spec.name,
                   "size of dimension %d is %" PRId64 ", expected %" PRId64 " (%" PRId64
                   " x %s %" PRId64 ", from %s)",
                   Dimension, Found, Expected, Size.factor, Name, Value, BoundBy);
}

static attune_status checkSizes(const CallSite &Site, const attune_argument_spec &Spec,
                                const attune_tensor &Tensor, SymbolTable &Symbols) {
  int64_t Bytes = static_cast<int64_t>(attune_dtype_size(Tensor.dtype));
  for (int32_t I = 0; I < Spec.rank; ++I) {
    int64_t Found = Tensor.sizes[I];
    if (Found < 0)
      return Site.fail(ATTUNE_WRONG_SIZE, Spec.name,
                       "size of dimension %d is %" PRId64 ", expected 0 or more", I, Found);
    const attune_size_spec &Size = Spec.sizes[I];
    if (Size.symbol != ATTUNE_SIZE_FIXED) {
      if (attune_status Status = checkSymbolicSize(Site, Spec, I, Found, Symbols))
        return Status;
    } else if (Found != Size.factor) {
      return Site.fail(ATTUNE_WRONG_SIZE, Spec.name,
                       "size of dimension %d is %" PRId64 ", expected %" PRId64, I, Found,
                       Size.factor);
    }
    // Zeros count as one: the other sizes of an empty tensor are used in arithmetic, too.
    if (__builtin_mul_overflow(Bytes, Found == 0 ? 1 : Found, &Bytes))
      return Site.fail(ATTUNE_WRONG_SIZE, Spec.name,
                       "the product of its sizes is too large, expected fewer than 2^63 bytes");
  }
  return ATTUNE_OK;
}

attune_status checkTensor(const CallSite &Site, const attune_argument_spec &Spec,
                          attune_tensor &Tensor, SymbolTable &Symbols) {
  if (attune_status Status = checkDtype(Site, Spec, rawValue(Tensor.dtype)))
    return Status;
  if (Tensor.rank != Spec.rank)
    return Site.fail(ATTUNE_WRONG_RANK, Spec.name, "rank is %d, expected %d", Tensor.rank,
                     Spec.rank);
  if (attune_status Status = checkSizes(Site, Spec, Tensor, Symbols))
    return Status;
  return checkStrides(Site, Spec, Tensor);
}

} // namespace attune::runtime
