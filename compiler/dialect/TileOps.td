//===- TileOps.td - Operations on tiles --------------------*- tablegen -*-===//
#ifndef ATTUNE_DIALECT_TILE_OPS
#define ATTUNE_DIALECT_TILE_OPS

include "dialect/MhaDialect.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Mha_PackOp : Mha_Op<"pack", [AttrSizedOperandSegments, MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "Copies rows of a memref into the layout that tiles are read from";
  let description = [{
    `panel`: the last two dimensions of the target are (K, width): target[k][c] = source[c][k] for
    c < count, and 0 beyond. `rows`: target[r][c] = source[r][c] for r < count, and 0 for the columns
    beyond the source's. A target of i32 holds pairs of bfloat16 along the depth of a product instead,
    the earlier one in the lower half: `panel` has (K / 2, width), target[k][c] = (source[c][2k],
    source[c][2k + 1]); `rows` target[r][c] = (source[2r][c], source[2r + 1][c]), and zeros up to the
    next multiple of 32 rows. The indices name the first element on both sides. With `padding` (rows only)
    row r is zero where padding[r] hides a key: i8 not zero, or f32 -inf; whatever the source holds there.
  }];
  let arguments = (ins Mha_PackKindAttr:$kind, AnyMemRef:$source, Variadic<Index>:$source_indices,
                       Index:$count, AnyMemRef:$target, Variadic<Index>:$target_indices,
                       Optional<AnyMemRef>:$padding, Variadic<Index>:$padding_indices);
  let assemblyFormat = [{
    `` $kind $source `[` $source_indices `]` `count` $count `into` $target `[` $target_indices `]`
    (`padding` $padding^ `[` $padding_indices `]` `:` type($padding))? attr-dict `:` type($source) `,`
    type($target)
  }];
}

def Mha_AsPairsOp : Mha_Op<"as_pairs", [Pure]> {
  let summary = "The same memory as pairs of bfloat16, one in place of each float32";
  let arguments = (ins AnyMemRef:$floats);
  let results = (outs AnyMemRef:$pairs);
  let assemblyFormat = "$floats attr-dict `:` type($floats) `->` type($pairs)";
}

def Mha_ClearOp : Mha_Op<"clear", [MemoryEffects<[MemWrite]>]> {
  let summary = "Fills a dense memref of static shape with zeros";
  let arguments = (ins AnyMemRef:$target);
  let assemblyFormat = "$target attr-dict `:` type($target)";
}

def Mha_KeyRangeOp
    : Mha_Op<"key_range", [AttrSizedOperandSegments, MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "The range of keys that a padding mask leaves visible";
  let description = [{
    Of the `count` elements from `indices` on along the last dimension: the position of the first visible
    key and one past the last, as two i32 along the target's last dimension; 0 and 0 without any. A key
    is visible where i8 is zero, or f32 is not -inf.
  }];
  let arguments = (ins AnyMemRef:$padding, Variadic<Index>:$indices, Index:$count,
                       AnyMemRef:$target, Variadic<Index>:$target_indices);
  let assemblyFormat = [{
    $padding `[` $indices `]` `count` $count `into` $target `[` $target_indices `]` attr-dict `:`
    type($padding) `,` type($target)
  }];
}

def Mha_ClassifyOp : Mha_Op<"classify"> {
  let summary = "Whether some element, and whether every element, of a bool mask's tile is zero";
  let arguments = (ins Mha_TileType:$mask);
  let results = (outs I1:$some_visible, I1:$all_visible);
  let assemblyFormat = "$mask attr-dict `:` type($mask)";
}

def Mha_LoadOp : Mha_Op<"load", [AttrSizedOperandSegments]> {
  let summary = "A tile of a memref";
  let description = [{
    The tile's rows run along the last dimension but one and its columns along the last, from
    `indices`; a panel tile covers the last three dimensions (panels, K, width) from `indices`. Of i32,
    pairs as mha.pack writes them, K and rows count half. Rows at
    or beyond `count` and columns at or beyond `columns` are not read and hold no defined value: their
    reader must not let them reach a result.
  }];
  let arguments = (ins AnyMemRef:$source, Variadic<Index>:$indices, Optional<Index>:$count,
                       Optional<Index>:$columns);
  let results = (outs Mha_TileType:$tile);
  let assemblyFormat = [{
    $source `[` $indices `]` (`count` $count^)? (`columns` $columns^)? attr-dict `:` type($source)
    `->` type($tile)
  }];
  let hasVerifier = 1;
}

// A fresh accumulator is one of its own, so that two of them are never merged: an allocation.
def Mha_ZeroOp : Mha_Op<"zero", [MemoryEffects<[MemAlloc]>]> {
  let summary = "A fresh accumulator of zeros";
  let results = (outs Mha_TileType:$acc);
  let assemblyFormat = "attr-dict `:` type($acc)";
}

def Mha_StartOp : Mha_Op<"start", [MemoryEffects<[MemAlloc]>]> {
  let summary = "A fresh accumulator of zeros, and statistics of no key";
  let results = (outs Mha_TileType:$acc, Mha_StatsType:$stats);
  let assemblyFormat = "attr-dict `:` type($acc) `,` type($stats)";
}

def Mha_ScoresOp : Mha_Op<"scores", [AllTypesMatch<["stats", "new_stats"]>]> {
  let summary = "Scores of a query tile against a key tile, one step of the online softmax";
  let description = [{
    t = score(scale * q . k^T), -inf where keep is false; the keys are a panel tile, or rows where few
    queries read them. Returns p = exp(t - m) with the new row maximum
    m, the factors exp(m_old - m) that rescale what was accumulated, and the new statistics. Columns at
    or beyond `columns` hold no visible key and need not be visited; keep must be false for them unless
    they fill whole panels. A row without any visible key has p = 0.

    Regions take (s, b, h, i, j, elements...) and (b, h, i, j, elements...), where the elements are those
    of the tile operands at (i, j), floating-point ones as f32; a tile of one row serves every i. `at` gives b, h and the first query
    and key index.
  }];
  let arguments = (ins Mha_TileType:$query, Mha_TileType:$key, Mha_StatsType:$stats, Index:$batch,
                       Index:$head, Index:$first_query, Index:$first_key, Index:$count,
                       Index:$columns, Variadic<Mha_TileType>:$tiles, F64Attr:$scale);
  let results = (outs Mha_TileType:$p, Mha_RowsType:$rescale, Mha_StatsType:$new_stats);
  let regions = (region AnyRegion:$score, AnyRegion:$keep);
  let assemblyFormat = [{
    $query `,` $key `,` $stats `at` `(` $batch `,` $head `,` $first_query `,` $first_key `)`
    `count` `(` $count `,` $columns `)` (`tiles` `(` $tiles^ `:` type($tiles) `)`)? `scale` $scale
    attr-dict `:` type($query) `,` type($key) `->` type($p) `,` type($rescale) `,` type($new_stats)
    (`score` $score^)? (`keep` $keep^)?
  }];
  let hasVerifier = 1;
}

def Mha_LogitsOp
    : Mha_Op<"logits", [AttrSizedOperandSegments, AllTypesMatch<["stats", "new_stats"]>,
                        MemoryEffects<[MemWrite]>]> {
  let summary = "Scores of a query tile against a key tile, into memory";
  let description = [{
    The first pass of a softmax over whole rows, which returned attention weights need: t as mha.scores
    defines it is stored from `indices` on, in whole panels, and only the maxima of the statistics
    change.
  }];
  let arguments = (ins Mha_TileType:$query, Mha_TileType:$key, Mha_StatsType:$stats, Index:$batch,
                       Index:$head, Index:$first_query, Index:$first_key, Index:$count,
                       Index:$columns, Variadic<Mha_TileType>:$tiles, F64Attr:$scale,
                       AnyMemRef:$target, Variadic<Index>:$indices);
  let results = (outs Mha_StatsType:$new_stats);
  let regions = (region AnyRegion:$score, AnyRegion:$keep);
  let assemblyFormat = [{
    $query `,` $key `,` $stats `at` `(` $batch `,` $head `,` $first_query `,` $first_key `)`
    `count` `(` $count `,` $columns `)` (`tiles` `(` $tiles^ `:` type($tiles) `)`)? `scale` $scale
    `into` $target `[` $indices `]` attr-dict `:` type($query) `,` type($key) `,` type($target) `->`
    type($new_stats) (`score` $score^)? (`keep` $keep^)?
  }];
  let hasVerifier = 1;
}

def Mha_SoftmaxOp
    : Mha_Op<"softmax", [AttrSizedOperandSegments, AllTypesMatch<["stats", "new_stats"]>,
                         MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "exp(scale * (t - maximum)) in place over whole rows of logits, and their sums";
  let description = [{
    The rows are not normalised: the sums of the new statistics are for mha.finish and
    mha.emit_weights. `rounded` takes a copy in bfloat16, for products of pairs.
  }];
  let arguments = (ins AnyMemRef:$scores, Variadic<Index>:$indices, Mha_StatsType:$stats,
                       Index:$count, Index:$columns,
                       DefaultValuedAttr<F64Attr, "1.0">:$scale, Optional<AnyMemRef>:$rounded,
                       Variadic<Index>:$rounded_indices);
  let results = (outs Mha_StatsType:$new_stats);
  let assemblyFormat = [{
    $scores `[` $indices `]` `,` $stats `count` `(` $count `,` $columns `)` (`scale` $scale^)?
    (`rounded` $rounded^ `[` $rounded_indices `]` `:` type($rounded))? attr-dict `:` type($scores) `,`
    type($stats)
  }];
}

def Mha_EmitWeightsOp : Mha_Op<"emit_weights", [AttrSizedOperandSegments,
                                                MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "Stores normalised attention weights, or adds them";
  let description = [{
    target = p / sum * factor for the first `visited` of `columns` columns, and 0 for the rest; with
    `add` that is added to the target. Row sum 0 is that of mha.finish.
  }];
  let arguments = (ins AnyMemRef:$p, Variadic<Index>:$p_indices, Mha_StatsType:$stats,
                       Index:$visited, AnyMemRef:$target, Variadic<Index>:$target_indices,
                       Index:$count, Index:$columns, F64Attr:$factor, UnitAttr:$add,
                       UnitAttr:$nan_masked_rows);
  let assemblyFormat = [{
    $p `[` $p_indices `]` `,` $stats `visited` $visited `into` $target `[` $target_indices `]`
    `count` `(` $count `,` $columns `)` `factor` $factor attr-dict `:` type($p) `,` type($stats) `,`
    type($target)
  }];
}

def Mha_AccumulateOp : Mha_Op<"accumulate", [AllTypesMatch<["acc", "result"]>]> {
  let summary = "acc * rescale + a . b, in place";
  let description = [{
    The depth is the row count of b's load. The accumulator is tied to the result: this must be its
    only use. `projection` says that b is part of a packed weight, `few_rows` that it is used by so few
    rows that it should be read once, from memory to the end.
  }];
  let arguments = (ins Mha_TileType:$acc, Optional<Mha_RowsType>:$rescale, Mha_TileType:$a,
                       Mha_TileType:$b, UnitAttr:$projection, UnitAttr:$few_rows);
  let results = (outs Mha_TileType:$result);
  let assemblyFormat = [{
    $acc (`rescale` $rescale^ `:` type($rescale))? `,` $a `,` $b attr-dict `:` type($acc) `,` type($a)
    `,` type($b)
  }];
  let hasVerifier = 1;
}

def Mha_FinishOp : Mha_Op<"finish", [MemoryEffects<[MemWrite]>]> {
  let summary = "Normalises an accumulator and stores its rows";
  let description = [{
    Row sum 0 means that the row saw no key: it becomes 0, or NaN with `nan_masked_rows`.
  }];
  let arguments = (ins Mha_TileType:$acc, Mha_StatsType:$stats, AnyMemRef:$target,
                       Variadic<Index>:$indices, Index:$count, UnitAttr:$nan_masked_rows);
  let assemblyFormat = [{
    $acc `,` $stats `into` $target `[` $indices `]` `count` $count attr-dict `:` type($acc) `,`
    type($stats) `,` type($target)
  }];
}

def Mha_SaveOp : Mha_Op<"save", [AttrSizedOperandSegments, MemoryEffects<[MemWrite]>]> {
  let summary = "Keeps an accumulator and its statistics in memory";
  let description = [{
    What one part of the keys gave, for mha.merge: rows of the accumulator along the last two dimensions
    of `partials`, row maximum and row sum along the last of `statistics`, whose last but one are rows.
  }];
  let arguments = (ins Mha_TileType:$acc, Mha_StatsType:$stats, AnyMemRef:$partials,
                       Variadic<Index>:$indices, AnyMemRef:$statistics,
                       Variadic<Index>:$statistics_indices, Index:$count);
  let assemblyFormat = [{
    $acc `,` $stats `into` $partials `[` $indices `]` `,` $statistics `[` $statistics_indices `]` `count`
    $count attr-dict `:` type($acc) `,` type($stats) `,` type($partials) `,` type($statistics)
  }];
  let hasVerifier = 1;
}

def Mha_MergeOp
    : Mha_Op<"merge", [AttrSizedOperandSegments, MemoryEffects<[MemRead, MemAlloc]>]> {
  let summary = "An accumulator and statistics of all parts that were saved";
  let description = [{
    Of the parts from the indices on along the last dimension but two: m is the largest of their
    maxima, the accumulator the sum of exp(m_part - m) * partial in the order of the parts, the sum
    likewise. A part that saw no key counts nothing.
  }];
  let arguments = (ins AnyMemRef:$partials, Variadic<Index>:$indices, AnyMemRef:$statistics,
                       Variadic<Index>:$statistics_indices, Index:$parts, Index:$count);
  let results = (outs Mha_TileType:$acc, Mha_StatsType:$stats);
  let assemblyFormat = [{
    $partials `[` $indices `]` `,` $statistics `[` $statistics_indices `]` `parts` $parts `count` $count
    attr-dict `:` type($partials) `,` type($statistics) `->` type($acc) `,` type($stats)
  }];
  let hasVerifier = 1;
}

def Mha_EmitOp : Mha_Op<"emit", [AttrSizedOperandSegments, MemoryEffects<[MemWrite]>]> {
  let summary = "Stores an accumulator, plus a bias row";
  let arguments = (ins Mha_TileType:$acc, Optional<AnyMemRef>:$bias, AnyMemRef:$target,
                       Variadic<Index>:$indices, Index:$count, Index:$columns);
  let assemblyFormat = [{
    $acc (`bias` $bias^ `:` type($bias))? `into` $target `[` $indices `]` `count` `(` $count `,`
    $columns `)` attr-dict `:` type($acc) `,` type($target)
  }];
}

def Mha_EmitPackedOp
    : Mha_Op<"emit_packed", [AttrSizedOperandSegments, MemoryEffects<[MemWrite]>]> {
  let summary = "Stores a part of an accumulator, plus a bias row, packed as attention reads it";
  let description = [{
    The accumulator's rows are keys, its columns elements of one head. The `count` rows and columns from
    (row, column) on become those from key and depth `at` on of what lies from `indices` on: `panel` has
    (tiles, panels, K, width), the panels of all tiles in order; `rows` has (keys, columns). From `count` up
    to `fill` there are zeros.

    A target of i32 has pairs, those of mha.pack: half as many of K and of keys. Of a pair of which this
    covers one half the other stays: another part may be stored at the same time. The depth `at` of a panel
    of pairs is even.
  }];
  let arguments = (ins Mha_PackKindAttr:$kind, Mha_TileType:$acc, Index:$row, Index:$column,
                       Optional<AnyMemRef>:$bias, AnyMemRef:$target, Variadic<Index>:$indices,
                       Index:$key, Index:$depth, Index:$count, Index:$columns, Index:$fill_count,
                       Index:$fill_columns);
  let assemblyFormat = [{
    `` $kind $acc `[` $row `,` $column `]` (`bias` $bias^ `:` type($bias))? `into` $target `[` $indices
    `]` `at` `(` $key `,` $depth `)` `count` `(` $count `,` $columns `)` `fill` `(` $fill_count `,`
    $fill_columns `)` attr-dict `:` type($acc) `,` type($target)
  }];
  let hasVerifier = 1;
}

def Mha_WorkersOp : Mha_Op<"workers", [Pure]> {
  let summary = "How many workers the call has";
  let results = (outs Index:$result);
  let assemblyFormat = "attr-dict";
}

def Mha_WorkerOp : Mha_Op<"worker", [Pure]> {
  let summary = "Number of the worker that runs this iteration of a parallel loop";
  let results = (outs Index:$result);
  let assemblyFormat = "attr-dict";
}

#endif
