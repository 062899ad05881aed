// The tile kernels of core_d64 with 16 registers, by linalg and the transform dialect: 48 queries, 128 keys
// in panels of 16, head_dim 64, register blocks of 6 rows x 2 vectors. tile_race.cpp calls them.

#queries = affine_map<(panel, row, column, depth) -> (row, depth)>
#keys = affine_map<(panel, row, column, depth) -> (panel, depth, column)>
#scores = affine_map<(panel, row, column, depth) -> (row, panel, column)>
#weights = affine_map<(panel, row, column, key) -> (row, key)>
#values = affine_map<(panel, row, column, key) -> (key, panel, column)>
#row = affine_map<(row, panel, column) -> (row)>
#lanes = affine_map<(row, panel, column) -> (row, column)>
#tile = affine_map<(row, panel, column) -> (row, panel, column)>

module attributes {transform.with_named_sequence} {

// scores = query . key
func.func @linalg_scores(%query: memref<48x64xf32> {llvm.noalias},
                         %key: memref<8x64x16xf32> {llvm.noalias},
                         %scores: memref<48x8x16xf32> {llvm.noalias}) {
  %zero = arith.constant 0.0 : f32
  linalg.fill ins(%zero : f32) outs(%scores : memref<48x8x16xf32>)
  linalg.generic {indexing_maps = [#queries, #keys, #scores],
                  iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%query, %key : memref<48x64xf32>, memref<8x64x16xf32>)
      outs(%scores : memref<48x8x16xf32>) attrs = {product} {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %product = arith.mulf %a, %b : f32
    %sum = arith.addf %c, %product : f32
    linalg.yield %sum : f32
  }
  return
}

// acc = acc * rescale + p . value
func.func @linalg_accumulate(%p: memref<48x128xf32> {llvm.noalias},
                             %value: memref<128x4x16xf32> {llvm.noalias},
                             %rescale: memref<48xf32> {llvm.noalias},
                             %acc: memref<48x4x16xf32> {llvm.noalias}) {
  linalg.generic {indexing_maps = [#row, #tile], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%rescale : memref<48xf32>) outs(%acc : memref<48x4x16xf32>) attrs = {rows} {
  ^bb0(%factor: f32, %old: f32):
    %scaled = arith.mulf %old, %factor : f32
    linalg.yield %scaled : f32
  }
  linalg.generic {indexing_maps = [#weights, #values, #scores],
                  iterator_types = ["parallel", "parallel", "parallel", "reduction"]}
      ins(%p, %value : memref<48x128xf32>, memref<128x4x16xf32>)
      outs(%acc : memref<48x4x16xf32>) attrs = {product} {
  ^bb0(%a: f32, %b: f32, %c: f32):
    %product = arith.mulf %a, %b : f32
    %sum = arith.addf %c, %product : f32
    linalg.yield %sum : f32
  }
  return
}

// maxima of rows, p = exp2((s / 8 - maximum) * log2 e) in place of s, sums of p by lane
func.func @linalg_softmax(%p: memref<48x8x16xf32> {llvm.noalias}, %maxima: memref<48xf32> {llvm.noalias},
                          %sums: memref<48x16xf32> {llvm.noalias}) {
  %lowest = arith.constant 0xFF800000 : f32
  %zero = arith.constant 0.0 : f32
  %unit = arith.constant 0.180336878 : f32 // log2 e / 8
  %floor = arith.constant -127.0 : f32
  %magic = arith.constant 12583039.0 : f32 // 1.5 * 2^23 + 127
  %shift = arith.constant 23 : i32
  %one = arith.constant 1.0 : f32
  %c0 = arith.constant 6.9314718246459961e-01 : f32
  %c1 = arith.constant 2.4022649228572845e-01 : f32
  %c2 = arith.constant 5.5503588169813156e-02 : f32
  %c3 = arith.constant 9.6184192225337028e-03 : f32
  %c4 = arith.constant 1.3398072449490428e-03 : f32
  %c5 = arith.constant 1.5353102935478091e-04 : f32
  // Lane by lane over the panels, then the lanes of a row.
  linalg.fill ins(%lowest : f32) outs(%sums : memref<48x16xf32>)
  linalg.generic {indexing_maps = [#tile, #lanes], iterator_types = ["parallel", "reduction", "parallel"]}
      ins(%p : memref<48x8x16xf32>) outs(%sums : memref<48x16xf32>) attrs = {lanes} {
  ^bb0(%score: f32, %old: f32):
    %new = arith.maxnumf %old, %score fastmath<nnan> : f32
    linalg.yield %new : f32
  }
  linalg.fill ins(%lowest : f32) outs(%maxima : memref<48xf32>)
  linalg.reduce ins(%sums : memref<48x16xf32>) outs(%maxima : memref<48xf32>) dimensions = [1]
    (%score: f32, %old: f32) {
      %new = arith.maxnumf %score, %old fastmath<nnan> : f32
      linalg.yield %new : f32
    }
  linalg.generic {indexing_maps = [#row, #tile], iterator_types = ["parallel", "parallel", "parallel"]}
      ins(%maxima : memref<48xf32>) outs(%p : memref<48x8x16xf32>) attrs = {rows} {
  ^bb0(%maximum: f32, %score: f32):
    %drop = arith.subf %score, %maximum : f32
    %x = arith.mulf %drop, %unit : f32
    %low = arith.cmpf olt, %x, %floor : f32
    %clamped = arith.select %low, %floor, %x : f32
    %biased = arith.addf %clamped, %magic : f32
    %n = arith.subf %biased, %magic : f32
    %f = arith.subf %clamped, %n : f32
    %m5 = arith.mulf %c5, %f : f32
    %p4 = arith.addf %m5, %c4 : f32
    %m4 = arith.mulf %p4, %f : f32
    %p3 = arith.addf %m4, %c3 : f32
    %m3 = arith.mulf %p3, %f : f32
    %p2 = arith.addf %m3, %c2 : f32
    %m2 = arith.mulf %p2, %f : f32
    %p1 = arith.addf %m2, %c1 : f32
    %m1 = arith.mulf %p1, %f : f32
    %p0 = arith.addf %m1, %c0 : f32
    %m0 = arith.mulf %p0, %f : f32
    %q = arith.addf %m0, %one : f32
    %bits = arith.bitcast %biased : f32 to i32
    %shifted = arith.shli %bits, %shift : i32
    %power = arith.bitcast %shifted : i32 to f32
    %result = arith.mulf %q, %power : f32
    linalg.yield %result : f32
  }
  linalg.fill ins(%zero : f32) outs(%sums : memref<48x16xf32>)
  linalg.generic {indexing_maps = [#tile, #lanes], iterator_types = ["parallel", "reduction", "parallel"]}
      ins(%p : memref<48x8x16xf32>) outs(%sums : memref<48x16xf32>) attrs = {lanes} {
  ^bb0(%weight: f32, %old: f32):
    %new = arith.addf %old, %weight : f32
    linalg.yield %new : f32
  }
  return
}

transform.named_sequence @__transform_main(%module: !transform.any_op {transform.readonly}) {
  // Loops around register blocks; one step of the depth at a time.
  %product = transform.structured.match attributes {product} in %module : (!transform.any_op) -> !transform.any_op
  transform.structured.tile_using_for %product tile_sizes [1, 6, 0, 1] : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op, !transform.any_op)
  %rows = transform.structured.match attributes {rows} in %module : (!transform.any_op) -> !transform.any_op
  transform.structured.tile_using_for %rows tile_sizes [1, 1] : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
  %lanes = transform.structured.match attributes {lanes} in %module : (!transform.any_op) -> !transform.any_op
  transform.structured.tile_using_for %lanes tile_sizes [6, 1] : (!transform.any_op) -> (!transform.any_op, !transform.any_op, !transform.any_op)
  %fill = transform.structured.match ops{["linalg.fill", "linalg.reduce"]} in %module : (!transform.any_op) -> !transform.any_op
  transform.structured.tile_using_for %fill tile_sizes [1] : (!transform.any_op) -> (!transform.any_op, !transform.any_op)
  %functions = transform.structured.match ops{["func.func"]} in %module : (!transform.any_op) -> !transform.any_op
  transform.apply_patterns to %functions {
    transform.apply_patterns.linalg.fold_unit_extent_dims_via_slices
    transform.apply_patterns.canonicalization
  } : !transform.any_op
  // A body becomes vectors; accumulators stay in registers over the innermost loop.
  %vectorized = transform.structured.vectorize_children_and_apply_patterns %functions : (!transform.any_op) -> !transform.any_op
  transform.apply_patterns to %vectorized {
    transform.apply_patterns.memref.fold_memref_alias_ops
    transform.apply_patterns.canonicalization
  } : !transform.any_op
  %loops = transform.structured.match ops{["scf.for"]} in %module : (!transform.any_op) -> !transform.any_op
  transform.apply_licm to %loops : !transform.any_op
  %hoisted = transform.foreach %vectorized : !transform.any_op -> !transform.any_op {
  ^bb0(%function: !transform.any_op):
    %one = transform.structured.hoist_redundant_vector_transfers %function : (!transform.any_op) -> !transform.any_op
    transform.yield %one : !transform.any_op
  }
  transform.apply_patterns to %hoisted {
    transform.apply_patterns.vector.lower_contraction lowering_strategy = "outerproduct"
    transform.apply_patterns.vector.lower_outerproduct
    transform.apply_patterns.vector.lower_multi_reduction lowering_strategy = "innerreduction"
    transform.apply_patterns.vector.lower_transpose
  } : !transform.any_op
  transform.yield
}
}
