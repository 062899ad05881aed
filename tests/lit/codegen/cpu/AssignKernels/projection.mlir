// RUN: attune-opt %s --mha-assign-kernels | FileCheck %s

// The accumulator is one scratch buffer: filled, passed in and out of the kernel, and not carried by
// the loop.
// CHECK: scf.forall
// CHECK-NEXT: %[[ACC:.*]] = memref.alloc() {alignment = 64 : i64} : memref<16x16xf32>
// CHECK: %[[FLAT:.*]] = memref.reinterpret_cast %[[ACC]] to offset: [0], sizes: [256]
// CHECK: call @attune_fill_{{.*}}(%cst, %{{.*}})
// CHECK-NOT: iter_args
// CHECK: scf.for %[[K:.*]] = %c0 to
// CHECK: memref.subview %arg0[%{{.*}}, %[[K]]] [%arg4, 32] [1, 1]
// CHECK: memref.subview %arg1[%[[K]], 0] [32, 16] [1, 1]
// CHECK: %[[IN:.*]] = memref.cast %[[ACC]]
// CHECK: %[[ROWS:.*]] = arith.index_cast %arg4
// CHECK: %[[DEPTH:.*]] = arith.index_cast %c32
// CHECK: %[[OUT:.*]] = memref.cast %[[ACC]]
// CHECK: call @attune_accumulate_8x1_c16_{{[0-9a-f]+}}(%{{.*}}, %{{.*}}, %[[IN]], %[[ROWS]], %[[DEPTH]], %[[OUT]])
// CHECK: call @attune_emit_{{.*}}(%{{.*}}, %{{.*}}, %{{.*}})
// CHECK-NOT: mha.
module attributes {mha.target = "skylake-avx512", mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 1024, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @f(%x: memref<?x64xf32>, %w: memref<64x16xf32>, %b: memref<16xf32>, %out: memref<?x16xf32>, %n: index) {
    %c0 = arith.constant 0 : index
    %c32 = arith.constant 32 : index
    %c64 = arith.constant 64 : index
    scf.forall (%i) in (%n) {
      %zero = mha.zero : <16x16xf32>
      %sum = scf.for %k = %c0 to %c64 step %c32 iter_args(%acc = %zero) -> (!mha.tile<16x16xf32>) {
        %a = mha.load %x[%i, %k] count %n columns %c32 : memref<?x64xf32> -> <16x32xf32>
        %t = mha.load %w[%k, %c0] count %c32 : memref<64x16xf32> -> <32x16xf32>
        %next = mha.accumulate %acc, %a, %t {projection} : <16x16xf32>, <16x32xf32>, <32x16xf32>
        scf.yield %next : !mha.tile<16x16xf32>
      }
      mha.emit %sum bias %b : memref<16xf32> into %out[%i, %c0] count(%n, %n) : <16x16xf32>, memref<?x16xf32>
    }
    return
  }
}
