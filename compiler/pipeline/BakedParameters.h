//===- BakedParameters.h - Parameters that become part of an object -*- C++ -*-===//
#ifndef ATTUNE_PIPELINE_BAKEDPARAMETERS_H
#define ATTUNE_PIPELINE_BAKEDPARAMETERS_H

#include "attune/attune.h"
#include "dialect/Interpreter.h"
#include "frontend/Config.h"

namespace attune {

/// The elements of parameters, given in the order of interfaceParameters. A tensor of another dtype
/// or shape than the configuration has is an error that names it.
llvm::Expected<std::vector<mha::Array>> readParameters(const Config &config,
                                                       llvm::ArrayRef<attune_tensor> parameters);

/// A line that tells parameters apart, for the cache: hexadecimal digits of all their elements.
std::string describeParameters(llvm::ArrayRef<mha::Array> parameters);

} // namespace attune

#endif
