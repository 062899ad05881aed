// RUN: attune-opt %s --mha-assign-kernels | FileCheck %s

// Source and target are views; the count goes to the kernel as i32.
// CHECK: %[[FROM:.*]] = memref.subview %arg0[%arg2, 0] [%arg3, 48] [1, 1]
// CHECK: %[[SOURCE:.*]] = memref.cast %[[FROM]]
// CHECK: %[[TO:.*]] = memref.subview %arg1[%arg2, 0, 0] [1, 48, 64] [1, 1, 1] {{.*}} to memref<48x64xf32
// CHECK: %[[TARGET:.*]] = memref.cast %[[TO]]
// CHECK: %[[COUNT:.*]] = arith.index_cast %arg3 : index to i32
// CHECK: call @[[KERNEL:attune_pack_panel_64_[0-9a-f]+]](%[[SOURCE]], %[[COUNT]], %[[TARGET]])
// CHECK: func.func private @[[KERNEL]](memref<?x?xf32, strided<[?, 1], offset: ?>>, i32, memref<?x?xf32, strided<[?, 1], offset: ?>>)
module attributes {mha.target = "skylake-avx512", mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 1024, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @f(%from: memref<?x48xf32>, %to: memref<?x48x64xf32>, %i: index, %n: index) {
    %c0 = arith.constant 0 : index
    mha.pack panel %from[%i, %c0] count %n into %to[%i, %c0, %c0] : memref<?x48xf32>, memref<?x48x64xf32>
    return
  }
}
