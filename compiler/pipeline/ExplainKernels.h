//===- ExplainKernels.h - The kernels of a module in words ------*- C++ -*-===//
#ifndef ATTUNE_PIPELINE_EXPLAINKERNELS_H
#define ATTUNE_PIPELINE_EXPLAINKERNELS_H

#include "codegen/cpu/AssignKernels.h"
#include "pipeline/Explain.h"

namespace attune {

/// One item a kernel: its symbol, and what it computes with which register block.
std::vector<ExplainedItem> explainKernels(const cpu::KernelSet &kernels);

} // namespace attune

#endif
