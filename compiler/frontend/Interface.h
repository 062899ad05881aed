//===- Interface.h - The tensors that cross the interface -------*- C++ -*-===//
//
// Which tensors a configuration's function takes and returns, in order, with symbolic sizes. The
// graph, the generated header, the argument checks and the command line all come from this list.
//
//===----------------------------------------------------------------------===//
#ifndef ATTUNE_COMPILER_FRONTEND_INTERFACE_H
#define ATTUNE_COMPILER_FRONTEND_INTERFACE_H

#include "frontend/Config.h"
#include <string>
#include <vector>

namespace attune {

enum class SizeSymbol { Fixed = 0, Batch = 1, Target = 2, Source = 3 };

/// `factor` for a fixed size, else the symbol's run-time value times factor, plus addend: N * H
/// rows of a three-dimensional mask, S + 1 columns of weights with an appended column.
struct SymbolicSize {
  SizeSymbol symbol = SizeSymbol::Fixed;
  int64_t factor = 1;
  int64_t addend = 0; ///< 0 for a fixed size

  bool operator==(const SymbolicSize &) const = default;
};

enum class InterfaceType { Float, Mask }; ///< of the configuration's dtype, or bool / uint8

struct InterfaceTensor {
  std::string name; ///< as in PyTorch: query, attn_mask, in_proj_weight ...
  InterfaceType type = InterfaceType::Float;
  std::vector<SymbolicSize> sizes;
  DType dtype = DType::Float32; ///< of a Float
};

/// Run-time values of the symbols in one call.
struct CallSizes {
  int64_t batch = 1, target = 1, source = 1;

  int64_t value(const SymbolicSize &size) const;
};

/// The shape of an interface tensor in a call.
std::vector<int64_t> shapeOf(const InterfaceTensor &tensor, const CallSizes &sizes);

/// One in_proj_weight holds all three projections: kdim and vdim are embed_dim, given or not.
bool hasPackedProjection(const Config &config);
/// Columns that add_bias_kv and add_zero_attn append to the keys: 0, 1 or 2.
int64_t appendedColumns(const Config &config);

/// Input tensors in order. Tensors that `forward.inputs` makes the same appear once: "self" has
/// query alone, "shared_key_value" query and key. Then attn_mask, (L, S) or (N * H, L, S), and
/// key_padding_mask, (N, S). An unbatched call has no N.
std::vector<InterfaceTensor> interfaceInputs(const Config &config);
/// Output tensors in order: out, and with need_weights `weights`, (N, L, S + appended columns) or
/// per head (N, H, L, S + appended columns).
std::vector<InterfaceTensor> interfaceOutputs(const Config &config);
/// Parameters under their state_dict names, in order; empty for op attention.
std::vector<InterfaceTensor> interfaceParameters(const Config &config);

} // namespace attune

#endif
