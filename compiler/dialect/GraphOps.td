//===- GraphOps.td - Operations on whole tensors -----------*- tablegen -*-===//
#ifndef ATTUNE_DIALECT_GRAPH_OPS
#define ATTUNE_DIALECT_GRAPH_OPS

include "dialect/MhaDialect.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Mha_SizeKind : I32EnumAttr<"SizeKind", "a length of the call", [
    I32EnumAttrCase<"Target", 0, "target">, I32EnumAttrCase<"Source", 1, "source">]> {
  let cppNamespace = "::attune::mha";
  let genSpecializedAttr = 0;
}
def Mha_SizeKindAttr : EnumAttr<Mha_Dialect, Mha_SizeKind, "size_kind">;

def Mha_MultiheadAttentionOp
    : Mha_Op<"multihead_attention", [Pure, AttrSizedOperandSegments]> {
  let summary = "torch.nn.MultiheadAttention, inference";
  let description = [{
    Query, key and value are interface tensors in `order` (nle, lne or le). One `in_proj` weight holds
    rows q, k, v stacked as in PyTorch's state_dict; three are those of q, k and v (kdim, vdim). The bias
    of all three is always one. `append` names bias_k and bias_v (1, 1, E), a key and value behind those
    given; `add_zero_attn` appends a zero key and value behind that.

    A bool mask (i8) forbids where it is not zero; a float mask is added. attn_mask is (L, S) or
    (N*H, L, S), key_padding_mask (N, S) or, in order le, (S). is_causal keeps j <= i, top-left aligned,
    together with the masks. The score region takes (s, b, h, i, j), s the scaled dot product, and yields
    the score to which masks then apply. Appended keys bypass masks, is_causal and the region.

    A second result holds the attention weights, (N, H, L, keys) or, with `average_weights`, (N, L, keys);
    without N in order le.
  }];
  let arguments = (ins AnyRankedTensor:$query, AnyRankedTensor:$key, AnyRankedTensor:$value,
      Variadic<AnyRankedTensor>:$in_proj_weights, Optional<AnyRankedTensor>:$in_proj_bias,
      Optional<AnyRankedTensor>:$bias_k, Optional<AnyRankedTensor>:$bias_v,
      AnyRankedTensor:$out_proj_weight, Optional<AnyRankedTensor>:$out_proj_bias,
      Optional<AnyRankedTensor>:$attn_mask, Optional<AnyRankedTensor>:$key_padding_mask,
      Mha_OrderAttr:$order, I64Attr:$num_heads, UnitAttr:$is_causal, UnitAttr:$add_zero_attn,
      UnitAttr:$nan_masked_rows, UnitAttr:$average_weights);
  let results = (outs AnyRankedTensor:$result, Optional<AnyRankedTensor>:$weights);
  let regions = (region AnyRegion:$score);
  let assemblyFormat = [{
    $query `,` $key `,` $value `in_proj` `(` $in_proj_weights (`bias` $in_proj_bias^)? `)`
    (`append` `(` $bias_k^ `,` $bias_v `)`)?
    `out_proj` `(` $out_proj_weight (`bias` $out_proj_bias^)? `)` (`attn_mask` `(` $attn_mask^ `)`)?
    (`key_padding_mask` `(` $key_padding_mask^ `)`)?
    `order` `` $order attr-dict `:` functional-type(operands, results) (`score` $score^)?
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Keys behind those given: bias_k and the zero key.
    int64_t getAppendedCount() { return (getBiasK() ? 1 : 0) + (getAddZeroAttn() ? 1 : 0); }
  }];
}

def Mha_ProjectOp : Mha_Op<"project", [Pure]> {
  let summary = "Linear projection of rows: x . weight[first .. first + columns)^T + bias";
  let description = [{
    x is a tensor whose last dimension is the depth K. The weight is (rows, K) as in PyTorch, and
    `first` selects a range of its rows; or, after pack-parameters, packed panels
    (columns / width, K, width), `first` 0, with the bias padded to whole panels. `bias_first` is the
    first element of the bias where it is not `first`.
  }];
  let arguments = (ins AnyRankedTensor:$x, AnyRankedTensor:$weight,
                       Optional<AnyRankedTensor>:$bias, I64Attr:$first,
                       OptionalAttr<I64Attr>:$bias_first);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $x `,` $weight (`bias` $bias^)? `first` $first attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// True once the weight is in panels.
    bool isPacked() { return getWeight().getType().getRank() == 3; }
    int64_t getColumns() { return getResult().getType().getShape().back(); }
    int64_t getBiasStart() { return getBiasFirst().value_or(getFirst()); }
  }];
}

def Mha_PackWeightOp : Mha_Op<"pack_weight", [Pure]> {
  let summary = "Rows [first, first + columns) of a weight as transposed panels, zero-padded";
  let description = [{
    (rows, K) -> (ceil(columns / width), K, width): element (p, k, c) is weight[first + p*width + c][k].
    A result of i32 holds pairs of bfloat16: (p, k, c) has those at depth 2k and 2k + 1, zero beyond K.
  }];
  let arguments = (ins AnyRankedTensor:$weight, I64Attr:$first, I64Attr:$columns);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $weight `first` $first `columns` $columns attr-dict `:` type($weight) `->` type($result)
  }];
}

def Mha_PackBiasOp : Mha_Op<"pack_bias", [Pure]> {
  let summary = "Elements [first, first + columns) of a bias, zero-padded";
  let arguments = (ins AnyRankedTensor:$bias, I64Attr:$first, I64Attr:$columns);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $bias `first` $first `columns` $columns attr-dict `:` type($bias) `->` type($result)
  }];
}

def Mha_SplitHeadsOp : Mha_Op<"split_heads", [Pure]> {
  let summary = "A view of an interface tensor as (N, H, L, D)";
  let description = [{
    `first` is the first of the H * D columns that are viewed: it picks query, key or value out of one
    wide projection. For orders nhld and hld the columns are whole and `first` is 0.
  }];
  let arguments = (ins AnyRankedTensor:$x, Mha_OrderAttr:$order, I64Attr:$first);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $x `order` `` $order `first` $first attr-dict `:` type($x) `->` type($result)
  }];
}

def Mha_MergeHeadsOp : Mha_Op<"merge_heads", [Pure]> {
  let summary = "(N, H, L, D) back to an interface tensor";
  let arguments = (ins AnyRankedTensor:$x, Mha_OrderAttr:$order);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$x `order` `` $order attr-dict `:` type($x) `->` type($result)";
}

def Mha_AppendedOp : Mha_Op<"appended", [Pure]> {
  let summary = "Keys or values that stand behind those given, a head";
  let description = [{
    (H, A, D): first the bias (1, 1, H * D), if there is one, then rows of zeros.
  }];
  let arguments = (ins Optional<AnyRankedTensor>:$bias);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "($bias^ `:` type($bias))? attr-dict `->` type($result)";
}

def Mha_PackAppendedOp : Mha_Op<"pack_appended", [Pure]> {
  let summary = "The result of mha.appended as attention reads it";
  let description = [{
    `panel`: keys (H, A, D) as one zero-padded panel a head (H, 1, D, width). `rows`: values (H, A, D)
    with padded columns (H, A, D').
  }];
  let arguments = (ins Mha_PackKindAttr:$kind, AnyRankedTensor:$appended);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "`` $kind $appended attr-dict `:` type($appended) `->` type($result)";
}

def Mha_AttentionOp : Mha_Op<"attention", [Pure, AttrSizedOperandSegments]> {
  let summary = "Scaled dot-product attention with PyTorch's masks";
  let description = [{
    (N, H, L, D), (N, H, S, D), (N, H, S, D) -> (N, H, L, D). Masks, the score region and the second
    result have the meaning of mha.multihead_attention; appended keys and values are (H, A, D).
  }];
  let arguments = (ins AnyRankedTensor:$query, AnyRankedTensor:$key, AnyRankedTensor:$value,
                       Optional<AnyRankedTensor>:$appended_key,
                       Optional<AnyRankedTensor>:$appended_value,
                       Optional<AnyRankedTensor>:$attn_mask,
                       Optional<AnyRankedTensor>:$key_padding_mask, F64Attr:$scale,
                       UnitAttr:$is_causal, UnitAttr:$nan_masked_rows, UnitAttr:$average_weights);
  let results = (outs AnyRankedTensor:$result, Optional<AnyRankedTensor>:$weights);
  let regions = (region AnyRegion:$score);
  let assemblyFormat = [{
    $query `,` $key `,` $value (`append` `(` $appended_key^ `,` $appended_value `)`)?
    (`attn_mask` `(` $attn_mask^ `)`)? (`key_padding_mask` `(` $key_padding_mask^ `)`)?
    `scale` $scale attr-dict `:` functional-type(operands, results) (`score` $score^)?
  }];
  let hasVerifier = 1;
}

def Mha_AttendOp : Mha_Op<"attend", [Pure, AttrSizedOperandSegments]> {
  let summary = "Softmax attention with a score and a keep region";
  let description = [{
    The score region takes (s, b, h, i, j): s the dot product times `scale`; it yields the score (f32).
    The keep region takes (b, h, i, j) and yields whether the key may be seen (i1). An absent region
    stands for s and for true. Regions read tensors through mha.element. Appended keys, (H, A, D) or as
    mha.pack_appended lays them out, are always seen, with score s. The second result is that of
    mha.attention.
  }];
  let arguments = (ins AnyRankedTensor:$query, AnyRankedTensor:$key, AnyRankedTensor:$value,
                       Optional<AnyRankedTensor>:$appended_key,
                       Optional<AnyRankedTensor>:$appended_value, F64Attr:$scale,
                       UnitAttr:$nan_masked_rows, UnitAttr:$average_weights);
  let results = (outs AnyRankedTensor:$result, Optional<AnyRankedTensor>:$weights);
  let regions = (region AnyRegion:$score, AnyRegion:$keep);
  let assemblyFormat = [{
    $query `,` $key `,` $value (`append` `(` $appended_key^ `,` $appended_value `)`)?
    `scale` $scale attr-dict `:` functional-type(operands, results) (`score` $score^)? (`keep` $keep^)?
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// How many keys are appended.
    int64_t getAppendedCount() {
      return getAppendedValue() ? getAppendedValue().getType().getShape()[1] : 0;
    }
  }];
}

def Mha_SizeOp : Mha_Op<"size", [Pure]> {
  let summary = "L (target) or S (source) of the call, inside a score or keep region";
  let arguments = (ins Mha_SizeKindAttr:$kind);
  let results = (outs Index:$result);
  let assemblyFormat = "`` $kind attr-dict";
}

def Mha_ElementOp : Mha_Op<"element", [Pure]> {
  let summary = "One element of a tensor or memref, inside a score or keep region";
  let description = "An element of a floating-point tensor is converted to f32.";
  let arguments = (ins AnyTypeOf<[AnyRankedTensor, AnyMemRef]>:$source, Variadic<Index>:$indices);
  let results = (outs AnyType:$result);
  let assemblyFormat = "$source `[` $indices `]` attr-dict `:` type($source) `->` type($result)";
}

def Mha_YieldOp : Mha_Op<"yield", [Pure, Terminator]> {
  let summary = "The result of a score or keep region";
  let arguments = (ins AnyType:$value);
  let assemblyFormat = "$value attr-dict `:` type($value)";
}

#endif
