// RUN: attune-opt %s --mha-assign-kernels | FileCheck %s

// Extents, not functions, make a kernel: two panels of width 64 are one, width 32 is another.
// CHECK-COUNT-2: call @attune_pack_panel_64_
// CHECK: call @attune_pack_panel_32_
// CHECK-COUNT-2: func.func private @attune_pack_panel_
// CHECK-NOT: func.func private
module attributes {mha.target = "skylake-avx512", mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 1024, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @f(%from: memref<?x48xf32>, %to: memref<?x48x64xf32>, %i: index) {
    mha.pack panel %from[%i, %i] count %i into %to[%i, %i, %i] : memref<?x48xf32>, memref<?x48x64xf32>
    return
  }
  func.func @g(%from: memref<?x24xf32>, %to: memref<?x24x64xf32>, %other: memref<?x24x32xf32>, %i: index) {
    mha.pack panel %from[%i, %i] count %i into %to[%i, %i, %i] : memref<?x24xf32>, memref<?x24x64xf32>
    mha.pack panel %from[%i, %i] count %i into %other[%i, %i, %i] : memref<?x24xf32>, memref<?x24x32xf32>
    return
  }
}
