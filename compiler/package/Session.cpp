//===- Session.cpp - Calls of a compiled module ---------------------------===//
#include "package/Session.h"

#include <cstring>

using namespace llvm;

namespace attune {

static Error statusError(attune_status status) {
  if (status == ATTUNE_OK)
    return Error::success();
  const char *text = attune_last_error();
  return createStringError("%s", *text ? text : attune_status_text(status));
}

Expected<std::unique_ptr<Session>> Session::create(ArrayRef<char> object, const std::string &name,
                                                   int threads,
                                                   ArrayRef<LoadedModule::Symbol> symbols) {
  auto loaded = LoadedModule::load(object, name, symbols);
  if (!loaded)
    return loaded.takeError();
  std::unique_ptr<Session> session(new Session(attune::Context(threads)));
  session->loaded = std::move(*loaded);
  return session;
}

/// A NAME_arguments or NAME_parameters struct: the fixed part, then the tensors.
template <typename Fixed>
static std::vector<char> callStruct(Fixed fixed, ArrayRef<attune_tensor> tensors) {
  std::vector<char> bytes(sizeof(Fixed) + tensors.size() * sizeof(attune_tensor));
  fixed.struct_size = bytes.size();
  std::memcpy(bytes.data(), &fixed, sizeof(Fixed));
  if (!tensors.empty())
    std::memcpy(bytes.data() + sizeof(Fixed), tensors.data(),
                tensors.size() * sizeof(attune_tensor));
  return bytes;
}

Error Session::pack(ArrayRef<attune_tensor> parameters) {
  const attune_module &module = loaded->module();
  if (module.parameter_count == 0)
    return Error::success();
  packed = attune::AlignedBuffer(module.packed_size);
  std::vector<char> call = callStruct(attune_parameters{}, parameters);
  return statusError(attune_pack(context, &module, call.data(), packed.data(), packed.size()));
}

Error Session::prepare(const CallSizes &sizes) {
  const size_t bytes =
      attune_workspace_size(context, &loaded->module(), sizes.batch, sizes.target, sizes.source);
  if (bytes == SIZE_MAX)
    return createStringError("batch size %lld, target length %lld and source length %lld are too "
                             "large for any workspace; expected smaller sizes",
                             static_cast<long long>(sizes.batch),
                             static_cast<long long>(sizes.target),
                             static_cast<long long>(sizes.source));
  workspace = attune::AlignedBuffer(bytes);
  return Error::success();
}

Error Session::forward(ArrayRef<attune_tensor> tensors) {
  attune_call fixed{};
  fixed.packed = packed.data();
  fixed.packed_size = packed.size();
  fixed.workspace = workspace.data();
  fixed.workspace_size = workspace.size();
  std::vector<char> call = callStruct(fixed, tensors);
  return statusError(attune_forward(context, &loaded->module(), call.data()));
}

} // namespace attune
