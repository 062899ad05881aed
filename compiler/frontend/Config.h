//===- Config.h - The description of an attention module --------*- C++ -*-===//
//
// The configuration in the terms of torch.nn.MultiheadAttention, and its JSON form. One table
// (ConfigKeys.cpp) holds key, type, default, constraint and help of every field; reading, writing
// and checking go through it.
//
//===----------------------------------------------------------------------===//
#ifndef ATTUNE_COMPILER_FRONTEND_CONFIG_H
#define ATTUNE_COMPILER_FRONTEND_CONFIG_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <optional>
#include <string>

namespace attune {

enum class Op { MultiheadAttention, Attention };
enum class DType { Float32, BFloat16, Float16 };
enum class FullyMaskedRows { Zero, Nan };
enum class Inputs { Separate, SharedKeyValue, Self };
enum class AttnMask { None, Bool2d, Bool3d, Float2d, Float3d };
enum class KeyPaddingMask { None, Bool, Float };

struct ModuleConfig {
  int64_t embedDim = 0; ///< multihead_attention only
  int64_t numHeads = 0;
  double dropout = 0.0;
  bool bias = true;
  bool addBiasKv = false;
  bool addZeroAttn = false;
  bool batchFirst = false;
  std::optional<int64_t> kdim; ///< null: embed_dim
  std::optional<int64_t> vdim; ///< null: embed_dim
  int64_t headDim = 0;         ///< after checking: embed_dim / num_heads for a module
  std::optional<double> scale; ///< null: 1 / sqrt(head_dim)
};

struct ForwardConfig {
  bool batched = true;
  std::optional<int64_t> batch;        ///< null: chosen at run time
  std::optional<int64_t> targetLength; ///< null: chosen at run time
  std::optional<int64_t> sourceLength; ///< null: chosen at run time
  Inputs inputs = Inputs::Separate;
  AttnMask attnMask = AttnMask::None;
  KeyPaddingMask keyPaddingMask = KeyPaddingMask::None;
  bool isCausal = false;
  bool needWeights = true; ///< the default is false for op attention
  bool averageAttnWeights = true;
};

struct Config {
  std::string name = "attention";
  Op op = Op::MultiheadAttention;
  DType dtype = DType::Float32;
  std::optional<DType> computeDtype; ///< null: as productDtype() says
  std::optional<std::string> score;  ///< an expression (ScoreParser.h)
  FullyMaskedRows fullyMaskedRows = FullyMaskedRows::Zero;
  ModuleConfig module;
  ForwardConfig forward;

  /// The factor on the dot products: module.scale, or 1 / sqrt(head_dim).
  double scale() const;
  /// What products take at most, where the CPU multiplies it: compute_dtype, or bfloat16 for
  /// tensors of that type, else float32. Sums are float32.
  DType productDtype() const;
  /// The coarsest type that results are rounded to on their way: dtype, or that of products.
  DType coarsestDtype() const { return dtype == DType::Float32 ? productDtype() : dtype; }
};

/// Where the keys of a configuration were given (ConfigKeys.h).
class ConfigOrigins;

/// Reads a configuration from JSON text. `fileName` stands in messages. Every entry of `overrides`
/// has the form KEY=VALUE with a dotted key (`forward.is_causal=true`); VALUE is JSON, or a bare
/// word for a string. The result is checked: all constraints of the table, all contradictions
/// between keys, and the score expression. An error names file, line, key, what was found and what
/// would be right.
llvm::Expected<Config> parseConfig(llvm::StringRef text, llvm::StringRef fileName,
                                   llvm::ArrayRef<std::string> overrides = {});

/// Reads a configuration from a file, or from standard input for "-".
llvm::Expected<Config> loadConfig(llvm::StringRef path, llvm::ArrayRef<std::string> overrides = {});

/// The checks of the contract that parseConfig makes, for a struct filled by hand; also fills
/// module.headDim, and a missing length of self-attention from the given one. `origins` says in
/// messages where a key was given.
llvm::Error checkConfig(Config &config, const ConfigOrigins *origins = nullptr);

/// The canonical JSON form: every key that belongs to the op, in the table's order, with its
/// resolved value (kdim null -> embed_dim ...), a value without effect as its default. Equal
/// configurations give equal text. The text is itself a configuration that parseConfig accepts.
std::string toJson(const Config &config);

} // namespace attune

#endif
