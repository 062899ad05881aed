// RUN: attune-opt %s --mha-assign-kernels | FileCheck %s

// One buffer of each kind at the head of the parallel loop, however often it is used: accumulator, two
// pairs of statistics, p (which holds the scores first) and the rescale factors.
// CHECK: scf.forall
// CHECK-COUNT-7: memref.alloc()
// CHECK-NOT: memref.alloc()
// CHECK-NOT: memref.copy
// CHECK: return
module attributes {mha.target = "skylake-avx512", mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 1024, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @f(%m: memref<?x64xf32>, %k: memref<?x1x64x64xf32>, %n: index, %s: index) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    scf.forall (%i) in (%n) {
      %q = mha.load %m[%i, %c0] count %s : memref<?x64xf32> -> <6x64xf32>
      %acc, %stats = mha.start : <6x64xf32>, <6>
      %r:2 = scf.for %t = %c0 to %n step %c1 iter_args(%a = %acc, %st = %stats) -> (!mha.tile<6x64xf32>, !mha.stats<6>) {
        %key = mha.load %k[%t, %c0, %c0, %c0] : memref<?x1x64x64xf32> -> <64x64xf32, panel>
        %p, %rescale, %next = mha.scores %q, %key, %st at(%c0, %c1, %i, %t) count(%s, %s) scale 0.125
          : <6x64xf32>, <64x64xf32, panel> -> <6x64xf32>, <6>, <6>
        %v = mha.load %m[%t, %c0] count %s : memref<?x64xf32> -> <64x64xf32>
        %sum = mha.accumulate %a rescale %rescale : !mha.rows<6>, %p, %v : <6x64xf32>, <6x64xf32>, <64x64xf32>
        scf.yield %sum, %next : !mha.tile<6x64xf32>, !mha.stats<6>
      }
      mha.finish %r#0, %r#1 into %m[%i, %c0] count %s : <6x64xf32>, <6>, memref<?x64xf32>
    }
    return
  }
}
