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

static bool isSound(const attune_size_spec &Size) {
  if (Size.symbol == ATTUNE_SIZE_FIXED)
    return Size.factor >= 0 && Size.addend == 0;
  return Size.symbol > 0 && Size.symbol < ATTUNE_SYMBOLS && Size.factor >= 1 && Size.addend >= 0;
}

static bool isSound(const attune_argument_spec *Specs, int32_t Count) {
  if (Count < 0 || Count > MaxArguments || (Count > 0 && !Specs))
    return false;
  uint32_t Outputs = 0;
  for (int32_t I = 0; I < Count; ++I) {
    if (!Specs[I].name || Specs[I].rank < 0 || Specs[I].rank > ATTUNE_MAX_RANK)
      return false;
    for (int32_t D = 0; D < Specs[I].rank; ++D)
      if (!isSound(Specs[I].sizes[D]))
        return false;
    // Symbols are bound in order, and outputs must not be what binds them.
    Outputs |= Specs[I].flags & ATTUNE_ARGUMENT_OUTPUT;
    if (Outputs != (Specs[I].flags & ATTUNE_ARGUMENT_OUTPUT))
      return false;
  }
  return true;
}

static attune_status checkDescriptor(const attune_module &Module, const CallSite &Site) {
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
  return ATTUNE_OK;
}

attune_status selectModule(const attune_module *&Module, const CallSite &Site) {
  const uint32_t Present = attune_cpu_features();
  for (;;) {
    if (attune_status Status = checkDescriptor(*Module, Site))
      return Status;
    const uint32_t Missing = Module->cpu_features & ~Present;
    if (Missing == 0)
      return ATTUNE_OK;
    if (Module->fallback) {
      Module = Module->fallback;
      continue;
    }
    TextBuilder Names;
    appendCpuFeatureNames(Names, Missing);
    return runtime::fail(ATTUNE_UNSUITABLE_CPU,
                         "%s_%s: module: needs CPU features that are missing here: %s",
                         Module->name, Site.Function, Names.text());
  }
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
                     " (packed for another configuration, schedule, target or version)",
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

/// "2 x source length 5 + 1": a symbolic size, with the symbol's value if that is not negative.
static void appendSize(TextBuilder &Text, const attune_size_spec &Size, int64_t Value) {
  if (Size.factor != 1)
    Text.append("%" PRId64 " x ", Size.factor);
  Text.append("%s", symbolName(Size.symbol));
  // Without factor and addend the value is what the message already expects.
  if (Value >= 0 && (Size.factor != 1 || Size.addend != 0))
    Text.append(" %" PRId64, Value);
  if (Size.addend != 0)
    Text.append(" + %" PRId64, Size.addend);
}

/// Solves Found = symbol * factor + addend for a symbol that no argument has given yet.
static attune_status bindSymbol(const CallSite &Site, const attune_argument_spec &Spec,
                                int32_t Dimension, int64_t Found, SymbolTable &Symbols) {
  const attune_size_spec &Size = Spec.sizes[Dimension];
  int64_t Scaled = Found - Size.addend;
  int64_t Value = Scaled / Size.factor;
  if (Scaled >= 0 && Scaled % Size.factor == 0 && Value <= LargestSize) {
    Symbols.Sizes.value[Size.symbol] = Value;
    Symbols.BoundBy[Size.symbol] = Spec.name;
    return ATTUNE_OK;
  }
  TextBuilder Expected, Expression;
  if (Scaled < 0)
    Expected.append("%" PRId64 " or more", Size.addend);
  else if (Value > LargestSize) // What was found is larger than this product: no overflow.
    Expected.append("at most %" PRId64, LargestSize * Size.factor + Size.addend);
  else {
    Expected.append("a multiple of %" PRId64, Size.factor);
    if (Size.addend != 0)
      Expected.append(" plus %" PRId64, Size.addend);
  }
  appendSize(Expression, Size, -1);
  return Site.fail(ATTUNE_WRONG_SIZE, Spec.name,
                   "size of dimension %d is %" PRId64 ", expected %s (%s)", Dimension, Found,
                   Expected.text(), Expression.text());
}

static attune_status checkSymbolicSize(const CallSite &Site, const attune_argument_spec &Spec,
                                       int32_t Dimension, int64_t Found, SymbolTable &Symbols) {
  const attune_size_spec &Size = Spec.sizes[Dimension];
  const char *BoundBy = Symbols.BoundBy[Size.symbol];
  if (!BoundBy)
    return bindSymbol(Site, Spec, Dimension, Found, Symbols);
  int64_t Value = Symbols.Sizes.value[Size.symbol], Expected;
  bool Overflows = __builtin_mul_overflow(Value, Size.factor, &Expected) ||
                   __builtin_add_overflow(Expected, Size.addend, &Expected);
  if (!Overflows && Found == Expected)
    return ATTUNE_OK;
  TextBuilder Expression;
  appendSize(Expression, Size, Value);
  if (Overflows)
    return Site.fail(ATTUNE_WRONG_SIZE, Spec.name,
                     "size of dimension %d is %" PRId64
                     ", expected %s (from %s), which is too large",
                     Dimension, Found, Expression.text(), BoundBy);
  return Site.fail(ATTUNE_WRONG_SIZE, Spec.name,
                   "size of dimension %d is %" PRId64 ", expected %" PRId64 " (%s, from %s)",
                   Dimension, Found, Expected, Expression.text(), BoundBy);
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
