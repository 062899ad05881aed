// RUN: attune-opt %s --mha-assign-kernels | FileCheck %s

// Keys in rows are scored as a buffer of rank 2, blocks of one row; a split is saved and merged by kernels.
// CHECK: call @attune_scores_rows_1x1_d64_{{[0-9a-f]+}}(%{{.*}}) : (memref<?x?xf32, {{[^>]*}}>>, memref<?x?xf32, {{[^>]*}}>>, memref<?xf32
// CHECK: call @attune_accumulate_rows_c64_
// CHECK: call @attune_save_c64_
// CHECK: scf.forall
// CHECK-NOT: call @attune_fill
// CHECK: call @attune_merge_c64_{{.*}} : (memref<?x?x?xf32, {{[^>]*}}>>, memref<?x?x?xf32, {{[^>]*}}>>, i32, i32, memref<?x?xf32, {{[^>]*}}>>, memref<?xf32, {{[^>]*}}>>, memref<?x?xf32, {{[^>]*}}>>)
// CHECK: call @attune_finish_c64_
module attributes {mha.target = "skylake-avx512", mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 2, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 8, split_keys = 128, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @f(%m: memref<?x64xf32>, %partials: memref<?x?x2x64xf32>, %statistics: memref<?x?x2x2xf32>, %n: index, %s: index) {
    %c0 = arith.constant 0 : index
    scf.forall (%i) in (%n) {
      %q = mha.load %m[%i, %c0] count %s : memref<?x64xf32> -> <2x64xf32>
      %k = mha.load %m[%i, %c0] count %s : memref<?x64xf32> -> <64x64xf32>
      %acc, %stats = mha.start : <2x64xf32>, <2>
      %p, %r, %next = mha.scores %q, %k, %stats at(%c0, %c0, %c0, %i) count(%s, %s) scale 1.0 : <2x64xf32>, <64x64xf32> -> <2x64xf32>, <2>, <2>
      %v = mha.load %m[%i, %c0] count %s : memref<?x64xf32> -> <64x64xf32>
      %sum = mha.accumulate %acc rescale %r : !mha.rows<2>, %p, %v {few_rows} : <2x64xf32>, <2x64xf32>, <64x64xf32>
      mha.save %sum, %next into %partials[%c0, %i, %c0, %c0], %statistics[%c0, %i, %c0, %c0] count %s : <2x64xf32>, <2>, memref<?x?x2x64xf32>, memref<?x?x2x2xf32>
    }
    scf.forall (%i) in (%n) {
      %acc, %stats = mha.merge %partials[%i, %c0, %c0, %c0], %statistics[%i, %c0, %c0, %c0] parts %n count %s : memref<?x?x2x64xf32>, memref<?x?x2x2xf32> -> <2x64xf32>, <2>
      mha.finish %acc, %stats into %m[%i, %c0] count %s : <2x64xf32>, <2>, memref<?x64xf32>
    }
    return
  }
}
