// RUN: attune-opt %s --mha-assign-kernels | FileCheck %s

// 48 columns become 64: the kernel is told how many to read, the target's extent says how many to write.
// CHECK: %[[FROM:.*]] = memref.subview %arg0[%arg2, 0] [%arg3, 48]
// CHECK: %[[TO:.*]] = memref.subview %arg1[%arg2, 0] [%arg3, 64]
// CHECK: %[[COLUMNS:.*]] = arith.index_cast %c48{{.*}} : index to i32
// CHECK: call @attune_pack_rows_{{.*}}(%{{.*}}, %[[COLUMNS]], %{{.*}})
module attributes {mha.target = "skylake-avx512", mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 1024, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @f(%from: memref<?x48xf32>, %to: memref<?x64xf32>, %i: index, %n: index) {
    %c0 = arith.constant 0 : index
    mha.pack rows %from[%i, %c0] count %n into %to[%i, %c0] : memref<?x48xf32>, memref<?x64xf32>
    return
  }
}
