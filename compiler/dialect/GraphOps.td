//===- GraphOps.td - Operations on whole tensors -----------*- tablegen -*-===//
#ifndef ATTUNE_DIALECT_GRAPH_OPS
#define ATTUNE_DIALECT_GRAPH_OPS

include "dialect/MhaDialect.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Mha_MultiheadAttentionOp
    : Mha_Op<"multihead_attention", [Pure, AttrSizedOperandSegments]> {
  let summary = "torch.nn.MultiheadAttention, inference";
  let description = [{
    Query, key and value are interface tensors in `order` (nle, lne or le); rows q, k, v of
    `in_proj_weight` are stacked as in PyTorch's state_dict. A bool mask (i8) forbids where it is not
    zero; a float mask is added. is_causal keeps j <= i, top-left aligned, together with the mask.
  }];
  let arguments = (ins AnyRankedTensor:$query, AnyRankedTensor:$key, AnyRankedTensor:$value,
      AnyRankedTensor:$in_proj_weight, Optional<AnyRankedTensor>:$in_proj_bias,
      AnyRankedTensor:$out_proj_weight, Optional<AnyRankedTensor>:$out_proj_bias,
      Optional<AnyRankedTensor>:$attn_mask,
      Mha_OrderAttr:$order, I64Attr:$num_heads, UnitAttr:$is_causal,
      UnitAttr:$nan_masked_rows);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $query `,` $key `,` $value `in_proj` `(` $in_proj_weight (`,` $in_proj_bias^)? `)`
    `out_proj` `(` $out_proj_weight (`,` $out_proj_bias^)? `)` (`attn_mask` `(` $attn_mask^ `)`)?
    `order` `` $order attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Mha_ProjectOp : Mha_Op<"project", [Pure]> {
  let summary = "Linear projection of rows: x . weight[first .. first + columns)^T + bias";
  let description = [{
    x is a tensor whose last dimension is the depth K. The weight is (rows, K) as in PyTorch, and
    `first` selects a range of its rows; or, after pack-parameters, packed panels
    (columns / width, K, width), `first` 0, with the bias padded to whole panels.
  }];
  let arguments = (ins AnyRankedTensor:$x, AnyRankedTensor:$weight,
                       Optional<AnyRankedTensor>:$bias, I64Attr:$first);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $x `,` $weight (`bias` $bias^)? `first` $first attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// True once the weight is in panels.
    bool isPacked() { return getWeight().getType().getRank() == 3; }
    int64_t getColumns() { return getResult().getType().getShape().back(); }
  }];
}

def Mha_PackWeightOp : Mha_Op<"pack_weight", [Pure]> {
  let summary = "Rows [first, first + columns) of a weight as transposed panels, zero-padded";
  let description = [{
    (rows, K) -> (ceil(columns / width), K, width): element (p, k, c) is weight[first + p*width + c][k].
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

def Mha_AttentionOp : Mha_Op<"attention", [Pure]> {
  let summary = "Scaled dot-product attention with PyTorch's masks";
  let description = [{
    (N, H, L, D), (N, H, S, D), (N, H, S, D) -> (N, H, L, D). The masks have the meaning of
    mha.multihead_attention.
  }];
  let arguments = (ins AnyRankedTensor:$query, AnyRankedTensor:$key, AnyRankedTensor:$value,
                       Optional<AnyRankedTensor>:$attn_mask, F64Attr:$scale,
                       UnitAttr:$is_causal, UnitAttr:$nan_masked_rows);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $query `,` $key `,` $value (`attn_mask` `(` $attn_mask^ `)`)? `scale` $scale attr-dict `:`
    functional-type(operands, results)
  }];
}

def Mha_AttendOp : Mha_Op<"attend", [Pure]> {
  let summary = "Softmax attention with a score and a keep region";
  let description = [{
    The score region takes (s, b, h, i, j): s the dot product times `scale`; it yields the score (f32).
    The keep region takes (b, h, i, j) and yields whether the key may be seen (i1). An absent region
    stands for s and for true. Regions read tensors through mha.element.
  }];
  let arguments = (ins AnyRankedTensor:$query, AnyRankedTensor:$key, AnyRankedTensor:$value,
                       F64Attr:$scale, UnitAttr:$nan_masked_rows);
  let results = (outs AnyRankedTensor:$result);
  let regions = (region AnyRegion:$score, AnyRegion:$keep);
  let assemblyFormat = [{
    $query `,` $key `,` $value `scale` $scale attr-dict `:` functional-type(operands, results)
    (`score` $score^)? (`keep` $keep^)?
  }];
  let hasVerifier = 1;
}

def Mha_ElementOp : Mha_Op<"element", [Pure]> {
  let summary = "One element of a tensor or memref, inside a score or keep region";
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
