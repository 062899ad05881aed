//===- ExplainCommand.cpp - attune explain --------------------------------===//
#include "CallTensors.h"
#include "Common.h"
#include "pipeline/Explain.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;

namespace attune::tool {

namespace {
/// The call to state work for: sizes that are fixed, then those given; none while some stay open.
std::optional<ExplainedCall> explainedCall(const Config &config,
                                           const ExplainArguments &arguments) {
  KnownSizes known(config);
  auto takeOpen = [](std::optional<int64_t> &size, std::optional<int64_t> given) {
    size = size ? size : given;
  };
  takeOpen(known.batch, arguments.batch);
  takeOpen(known.target, arguments.targetLength);
  takeOpen(known.source, arguments.sourceLength);
  if (!known.target)
    return std::nullopt;
  return ExplainedCall{known.complete(), arguments.threads};
}

void print(const std::vector<ExplainedSection> &sections) {
  for (const ExplainedSection &section : sections) {
    size_t width = 0;
    for (const ExplainedItem &item : section.items)
      width = std::max(width, item.name.size());
    outs() << section.title << "\n";
    for (const ExplainedItem &item : section.items)
      outs() << "  " << left_justify(item.name, width) << "  " << item.text << "\n";
  }
}
} // namespace

Error runExplain(const ExplainArguments &arguments) {
  Expected<CompileRequest> request = readSingleRequest(arguments.config);
  if (!request)
    return request.takeError();
  const std::optional<ExplainedCall> call = explainedCall(request->config, arguments);
  auto sections = explain(request->config, request->targets.front(), request->options, call);
  if (!sections)
    return sections.takeError();
  print(*sections);
  if (!call)
    outs() << "\nWork, memory and the number of tiles need the sizes of a call: give "
              "--target-length.\n";
  return Error::success();
}

} // namespace attune::tool
