// RUN: attune-opt %s --mha-assign-kernels | FileCheck %s

// Logits change the maxima alone: sums stay in their buffer, which softmax fills and the weights read.
// CHECK: scf.for
// CHECK: call @attune_logits_6x4_d64_{{[0-9a-f]+}}(
// CHECK: call @attune_softmax_{{[0-9a-f]+}}(%[[ROWS:.*]], %{{.*}}, %[[ROWS]], %[[SUMS:.*]]) :
// CHECK: call @attune_accumulate_6x4_c64_
// CHECK: call @attune_add_weights_{{[0-9a-f]+}}(%{{.*}}, %{{.*}}, %[[TARGET:.*]], %{{.*}}, %[[TARGET]]) :
module attributes {mha.target = "skylake-avx512", mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 1024, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @f(%m: memref<?x64xf32>, %k: memref<?x1x64x64xf32>, %rows: memref<6x?xf32>, %w: memref<?x?xf32>, %n: index, %s: index) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    scf.forall (%i) in (%n) {
      %q = mha.load %m[%i, %c0] count %s : memref<?x64xf32> -> <6x64xf32>
      %acc, %stats = mha.start : <6x64xf32>, <6>
      %maxima = scf.for %t = %c0 to %n step %c1 iter_args(%st = %stats) -> (!mha.stats<6>) {
        %key = mha.load %k[%t, %c0, %c0, %c0] : memref<?x1x64x64xf32> -> <64x64xf32, panel>
        %next = mha.logits %q, %key, %st at(%c0, %c1, %i, %t) count(%s, %s) scale 0.125 into %rows[%c0, %t]
          : <6x64xf32>, <64x64xf32, panel>, memref<6x?xf32> -> <6>
        scf.yield %next : !mha.stats<6>
      }
      %sums = mha.softmax %rows[%c0, %c0], %maxima count(%s, %s) : memref<6x?xf32>, <6>
      %p = mha.load %rows[%c0, %c0] count %s : memref<6x?xf32> -> <6x64xf32>
      %v = mha.load %m[%i, %c0] count %s : memref<?x64xf32> -> <64x64xf32>
      %sum = mha.accumulate %acc, %p, %v : <6x64xf32>, <6x64xf32>, <64x64xf32>
      mha.finish %sum, %sums into %m[%i, %c0] count %s : <6x64xf32>, <6>, memref<?x64xf32>
      mha.emit_weights %rows[%c0, %c0], %sums visited %s into %w[%i, %c0] count(%s, %n) factor 0.5 {add} : memref<6x?xf32>, <6>, memref<?x?xf32>
    }
    return
  }
}
