// RUN: attune-opt %s --mha-assign-kernels | FileCheck %s

// CHECK: call @attune_key_range_u8_{{[0-9a-f]+}}(%{{.*}}, %{{.*}}) : (memref<?xi8, {{.*}}>, memref<?xi32, {{.*}}>) -> ()
// CHECK: %[[ROW:.*]] = memref.subview %arg1[%arg4, %arg4] [1, %arg4] [1, 1]
// CHECK: call @attune_pack_rows_f32_{{.*}}(%{{.*}}, %[[ROW]], %{{.*}}, %{{.*}}) : (memref<?x?xf32, {{.*}}>, memref<?xi8, {{.*}}>, i32, memref<?x?xf32, {{.*}}>) -> ()
// CHECK: call @attune_fill_{{.*}}
module attributes {mha.target = "skylake-avx512", mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 1024, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @f(%rows: memref<?x48xf32>, %padding: memref<?x?xi8>, %packed: memref<?x64xf32>, %ranges: memref<?x2xi32>, %i: index, %zeros: memref<2x64xf32, strided<[64, 1], offset: 128>>) {
    %c0 = arith.constant 0 : index
    mha.key_range %padding[%i, %c0] count %i into %ranges[%i, %c0] : memref<?x?xi8>, memref<?x2xi32>
    mha.pack rows %rows[%i, %c0] count %i into %packed[%i, %c0] padding %padding[%i, %i] : memref<?x?xi8> : memref<?x48xf32>, memref<?x64xf32>
    mha.clear %zeros : memref<2x64xf32, strided<[64, 1], offset: 128>>
    return
  }
}
