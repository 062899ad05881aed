//===- module.cpp - Entering generated code ---------------------------------------------------===//

#include "check.h"
#include "context.h"
#include "error.h"
#include "platform.h"

#include <cinttypes>
#include <cstring>

using namespace attune::runtime;

namespace {

/// The tensors of a call, copied so that their unused strides can be made regular, and the memory
/// that they and the call's buffers take.
struct CheckedCall {
  attune_tensor Tensors[MaxArguments];
  MemoryRange Ranges[MaxArguments + 2];
  int32_t RangeCount = 0;
  SymbolTable Symbols;

  attune_status addTensors(const CallSite &Site, const attune_argument_spec *Specs, int32_t Count,
                           const attune_tensor *Given);
};

} // namespace

attune_status CheckedCall::addTensors(const CallSite &Site, const attune_argument_spec *Specs,
                                      int32_t Count, const attune_tensor *Given) {
  for (int32_t I = 0; I < Count; ++I) {
    Tensors[I] = Given[I];
    if (attune_status Status = checkTensor(Site, Specs[I], Tensors[I], Symbols))
      return Status;
    if (attune_status Status = checkData(Site, Specs[I], Tensors[I], Ranges[RangeCount++]))
      return Status;
  }
  // An unbatched call is one of a single batch element.
  if (!Symbols.BoundBy[ATTUNE_SIZE_BATCH])
    Symbols.Sizes.value[ATTUNE_SIZE_BATCH] = 1;
  return ATTUNE_OK;
}

/// Checks the two pointers and makes \p Module the one that fits this CPU.
static attune_status checkPointers(const char *Function, const attune_context *Context,
                                   const attune_module *&Module) {
  if (!Context)
    return fail(ATTUNE_NULL_POINTER, "attune_%s: context: is null, expected a context", Function);
  if (!Module)
    return fail(ATTUNE_NULL_POINTER, "attune_%s: module: is null, expected a module", Function);
  return selectModule(Module, {"attune", Function});
}

/// Checks a struct of the application that starts with its size: \p FixedBytes, then tensors.
static attune_status checkStruct(const CallSite &Site, const char *Name, const void *Struct,
                                 size_t FixedBytes, int32_t TensorCount) {
  if (reinterpret_cast<uintptr_t>(Struct) % alignof(attune_tensor) != 0)
    return Site.fail(ATTUNE_MISALIGNED, Name, "are not aligned, expected alignment to %zu bytes",
                     alignof(attune_tensor));
  size_t Expected = FixedBytes + static_cast<size_t>(TensorCount) * sizeof(attune_tensor);
  size_t Found = *static_cast<const size_t *>(Struct);
  if (Found != Expected)
    return Site.fail(ATTUNE_WRONG_VERSION, Name, "struct_size is %zu, expected %zu", Found,
                     Expected);
  return ATTUNE_OK;
}

/// Adds packed parameters and workspace to the ranges of \p Checked.
static attune_status checkBuffers(const CallSite &Site, const attune_context &Context,
                                  const attune_module &Module, const attune_call &Call,
                                  CheckedCall &Checked) {
  if (Module.baked) {
    if (Call.packed)
      return Site.fail(ATTUNE_WRONG_PACKED, "packed",
                       "is not null, expected null: this module's parameters are part of its code");
  } else if (Module.parameter_count > 0) {
    if (attune_status Status = checkBuffer(Site, "packed", Call.packed, Call.packed_size,
                                           static_cast<size_t>(Module.packed_size),
                                           /*Written=*/false, Checked.Ranges[Checked.RangeCount++]))
      return Status;
    attune_packed_header Header;
    memcpy(&Header, Call.packed, sizeof(Header));
    if (attune_status Status = checkPackedHeader(Site, Module, Header))
      return Status;
  }
  const int64_t *Sizes = Checked.Symbols.Sizes.value;
  int64_t Needed = Module.workspace_size
                       ? Module.workspace_size(Sizes[ATTUNE_SIZE_BATCH], Sizes[ATTUNE_SIZE_TARGET],
                                               Sizes[ATTUNE_SIZE_SOURCE], Context.Workers)
                       : 0;
  if (Needed < 0)
    return Site.fail(ATTUNE_WRONG_SIZE, "workspace",
                     "is impossible for batch size %" PRId64 ", target length %" PRId64
                     ", source length %" PRId64 ", expected smaller sizes",
                     Sizes[ATTUNE_SIZE_BATCH], Sizes[ATTUNE_SIZE_TARGET],
                     Sizes[ATTUNE_SIZE_SOURCE]);
  return checkBuffer(Site, "workspace", Call.workspace, Call.workspace_size,
                     static_cast<size_t>(Needed), /*Written=*/true,
                     Checked.Ranges[Checked.RangeCount++]);
}

attune_status attune_forward(attune_context *context, const attune_module *module,
                             const void *call) {
  if (attune_status Status = checkPointers("forward", context, module))
    return Status;
  CallSite Site = {module->name, "forward"};
  if (!call)
    return Site.fail(ATTUNE_NULL_POINTER, "arguments", "is null, expected %s_arguments",
                     module->name);
  if (attune_status Status =
          checkStruct(Site, "arguments", call, sizeof(attune_call), module->argument_count))
    return Status;
  const auto &Call = *static_cast<const attune_call *>(call);
  if (!module->forward ||
      (module->parameter_count > 0 &&
       module->packed_size < static_cast<int64_t>(sizeof(attune_packed_header))))
    return Site.fail(ATTUNE_WRONG_VERSION, "module", "its descriptor is damaged");

  // The tensors follow the fixed part of NAME_arguments.
  const auto *Given = reinterpret_cast<const attune_tensor *>(&Call + 1);
  CheckedCall Checked;
  if (attune_status Status =
          Checked.addTensors(Site, module->arguments, module->argument_count, Given))
    return Status;
  if (attune_status Status = checkBuffers(Site, *context, *module, Call, Checked))
    return Status;
  if (attune_status Status = checkOverlap(Site, Checked.Ranges, Checked.RangeCount))
    return Status;
  const void *Packed = module->baked ? module->baked : Call.packed;
  module->forward(context, Checked.Tensors, Packed, Call.workspace, &Checked.Symbols.Sizes,
                  context->Workers);
  return ATTUNE_OK;
}

attune_status attune_pack(attune_context *context, const attune_module *module,
                          const void *parameters, void *packed, size_t packed_size) {
  if (attune_status Status = checkPointers("pack", context, module))
    return Status;
  CallSite Site = {module->name, "pack"};
  if (module->parameter_count == 0)
    return Site.fail(ATTUNE_WRONG_PACKED, "parameters",
                     "are not expected, this module has none to pack");
  if (!module->pack || module->packed_size < static_cast<int64_t>(sizeof(attune_packed_header)))
    return Site.fail(ATTUNE_WRONG_VERSION, "module", "its descriptor is damaged");
  if (!parameters)
    return Site.fail(ATTUNE_NULL_POINTER, "parameters", "is null, expected %s_parameters",
                     module->name);
  if (attune_status Status = checkStruct(Site, "parameters", parameters, sizeof(attune_parameters),
                                         module->parameter_count))
    return Status;
  const auto *Given = reinterpret_cast<const attune_tensor *>(
      static_cast<const attune_parameters *>(parameters) + 1);
  CheckedCall Checked;
  if (attune_status Status =
          Checked.addTensors(Site, module->parameters, module->parameter_count, Given))
    return Status;
  if (attune_status Status =
          checkBuffer(Site, "packed", packed, packed_size, static_cast<size_t>(module->packed_size),
                      /*Written=*/true, Checked.Ranges[Checked.RangeCount++]))
    return Status;
  if (attune_status Status = checkOverlap(Site, Checked.Ranges, Checked.RangeCount))
    return Status;

  // Each call reads all weights, megabytes of them: with small pages a part of the time is spent on
  // looking up where these lie.
  preferLargePages(packed, packed_size);
  // The block is valid only once its header is there, which comes last.
  attune_packed_header Header = {};
  memcpy(packed, &Header, sizeof(Header));
  module->pack(context, Checked.Tensors, packed);
  memcpy(Header.magic, "attunepk", sizeof(Header.magic));
  Header.abi_version = ATTUNE_ABI_VERSION;
  Header.dtype = ATTUNE_FLOAT32;
  Header.hash = module->hash;
  Header.size = static_cast<uint64_t>(module->packed_size);
  memcpy(packed, &Header, sizeof(Header));
  return ATTUNE_OK;
}

size_t attune_workspace_size(const attune_context *context, const attune_module *module,
                             int64_t batch, int64_t target, int64_t source) {
  // The size function is generated code, too, so the module is checked first.
  if (checkPointers("workspace_size", context, module) != ATTUNE_OK || batch < 0 || target < 0 ||
      source < 0 || !module->workspace_size)
    return 0;
  if (batch > LargestSize || target > LargestSize || source > LargestSize)
    return SIZE_MAX;
  int64_t Size = module->workspace_size(batch, target, source, context->Workers);
  // No allocation of SIZE_MAX bytes succeeds, so sizes beyond all bounds are noticed.
  return Size < 0 ? SIZE_MAX : static_cast<size_t>(Size);
}
