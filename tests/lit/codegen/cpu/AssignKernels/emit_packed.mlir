// RUN: attune-opt %s --mha-assign-kernels --split-input-file | FileCheck %s

// The kernel gets the part of the accumulator, its bias, the first key and the end of keys; the view of the
// target starts at the depth, which counts half in panels.
// CHECK-LABEL: func.func @forward
// CHECK: memref.subview %{{.*}}[3, 8] [30, 24] [1, 1] : memref<48x64xf32>
// CHECK: memref.subview %arg0[8] [24] [1]
// CHECK: %[[END:.*]] = arith.addi %c5, %c59
// CHECK: %[[HALF:.*]] = arith.divui %c16, %c2{{.*}}
// CHECK: %[[PAIR:.*]] = arith.addi %c0, %[[HALF]]
// CHECK: memref.subview %arg1[1, 0, 0, %[[PAIR]], 0]
// CHECK: call @attune_emit_panel_pairs_{{.*}} : (memref<?x?xf32, {{.*}}>, memref<?xf32, {{.*}}>, i32, i32, memref<?x?x?xi32
// CHECK: memref.subview %arg2[1, 0, %{{.*}}]
// CHECK: call @attune_emit_row_pairs_{{.*}} : (memref<?x?xf32, {{.*}}>, i32, i32, memref<?x?xi32
module attributes {mha.schedule = {query_tile = 48, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 6, projection_block_vectors = 4, projection_rows = 48, projection_depth = 64, weight_panel = 64, exp2_degree = 3, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 64, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32, pair_products = "tiles"}, mha.target = "sapphirerapids"} {
  func.func @forward(%bias: memref<64xf32>, %keys: memref<2x1x1x32x64xi32>, %values: memref<2x32x64xi32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c3 = arith.constant 3 : index
    %c5 = arith.constant 5 : index
    %c8 = arith.constant 8 : index
    %c16 = arith.constant 16 : index
    %c24 = arith.constant 24 : index
    %c30 = arith.constant 30 : index
    %c48 = arith.constant 48 : index
    %c59 = arith.constant 59 : index
    %acc = mha.zero : <48x64xf32>
    mha.emit_packed panel %acc[%c3, %c8] bias %bias : memref<64xf32> into %keys[%c1, %c0, %c0, %c0, %c0] at(%c5, %c16) count(%c30, %c24) fill(%c59, %c48) : <48x64xf32>, memref<2x1x1x32x64xi32>
    mha.emit_packed rows %acc[%c3, %c8] into %values[%c1, %c0, %c0] at(%c5, %c16) count(%c30, %c24) fill(%c30, %c24) : <48x64xf32>, memref<2x32x64xi32>
    return
  }
}

// -----

// Floats: a depth counts whole, and rows of values start at their key.
// CHECK-LABEL: func.func @floats
// CHECK: %[[END:.*]] = arith.addi %c5, %c59
// CHECK: %[[DEPTH:.*]] = arith.addi %c0, %c16
// CHECK: memref.subview %arg1[1, 0, 0, %[[DEPTH]], 0]
// CHECK: call @attune_emit_panel_64_{{.*}} : (memref<?x?xf32, {{.*}}>, memref<?xf32, {{.*}}>, i32, i32, memref<?x?x?xf32
// CHECK: %[[KEY:.*]] = arith.addi %c0, %c5
// CHECK: memref.subview %arg2[1, %[[KEY]], %{{.*}}] [1, 30, 24]
// CHECK: call @attune_emit_rows_{{.*}} : (memref<?x?xf32, {{.*}}>, memref<?x?xf32
module attributes {mha.schedule = {query_tile = 48, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 6, projection_block_vectors = 4, projection_rows = 48, projection_depth = 64, weight_panel = 64, exp2_degree = 3, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 64, pack_value = "per_head"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}, mha.target = "x86-64-v4"} {
  func.func @floats(%bias: memref<64xf32>, %keys: memref<2x1x1x64x64xf32>, %values: memref<2x64x64xf32>) {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c3 = arith.constant 3 : index
    %c5 = arith.constant 5 : index
    %c8 = arith.constant 8 : index
    %c16 = arith.constant 16 : index
    %c24 = arith.constant 24 : index
    %c30 = arith.constant 30 : index
    %c59 = arith.constant 59 : index
    %acc = mha.zero : <48x64xf32>
    mha.emit_packed panel %acc[%c3, %c8] bias %bias : memref<64xf32> into %keys[%c1, %c0, %c0, %c0, %c0] at(%c5, %c16) count(%c30, %c24) fill(%c59, %c24) : <48x64xf32>, memref<2x1x1x64x64xf32>
    mha.emit_packed rows %acc[%c3, %c8] into %values[%c1, %c0, %c0] at(%c5, %c16) count(%c30, %c24) fill(%c30, %c24) : <48x64xf32>, memref<2x64x64xf32>
    return
  }
}
