// RUN: attune-opt %s --mha-assign-kernels | FileCheck %s

// Products of pairs write the scores. The kernel behind them takes the maxima and writes scores again
// only where it changes them: below, it hides those that the keep region does.
// CHECK: call @attune_tile_products_c64_fresh_{{[0-9a-f]+}}({{.*}}, %[[ROWS:[^,]+]]) :
// CHECK: call @attune_logits_of_products_6x4_d20_{{[0-9a-f]+}}(%[[ROWS]], %{{[^,]+}}, %{{[^,]+}}, %{{[^,]+}}, %{{[^,]+}}, %{{[^,]+}}, %{{[^,]+}}, %{{[^,]+}}, %{{[^,]+}}) :
// CHECK: call @attune_tile_products_c64_fresh_{{[0-9a-f]+}}({{.*}}, %[[EDGE:[^,]+]]) :
// CHECK: call @attune_logits_of_products_6x4_d20_{{[0-9a-f]+}}(%[[EDGE]], {{.*}}, %[[EDGE]], %{{[^,]+}}) :
// CHECK: call @attune_softmax_rounded_{{[0-9a-f]+}}(%[[P:[^,]+]], %{{[^,]+}}, %[[P]], %{{[^,]+}}, %{{[^,]+}}) :
// CHECK: call @attune_tile_products_c64_{{[0-9a-f]+}}(
module attributes {mha.schedule = {query_tile = 48, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 6, projection_block_vectors = 4, projection_rows = 48, projection_depth = 64, weight_panel = 64, exp2_degree = 3, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 64, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32, pair_products = "tiles"}, mha.target = "sapphirerapids"} {
  func.func @forward(%q: memref<48x32xbf16>, %k: memref<1x16x64xi32>, %v: memref<32x64xi32>, %rows: memref<48x?xf32>, %rounded: memref<48x?xbf16>, %out: memref<48x20xf32>, %n: index) {
    %c0 = arith.constant 0 : index
    %c48 = arith.constant 48 : index
    %c64 = arith.constant 64 : index
    %query = mha.load %q[%c0, %c0] count %c48 : memref<48x32xbf16> -> <48x20xbf16>
    %key = mha.load %k[%c0, %c0, %c0] count %n : memref<1x16x64xi32> -> <64x20xbf16, panel>
    %acc, %stats = mha.start : <48x64xf32>, <48>
    %full = mha.logits %query, %key, %stats at(%c0, %c0, %c0, %c0) count(%c48, %c64) scale 1.0 into %rows[%c0, %c0] : <48x20xbf16>, <64x20xbf16, panel>, memref<48x?xf32> -> <48>
    %edge = mha.logits %query, %key, %full at(%c0, %c0, %c0, %c64) count(%c48, %n) scale 1.0 into %rows[%c0, %c64] : <48x20xbf16>, <64x20xbf16, panel>, memref<48x?xf32> -> <48> keep {
    ^bb0(%b: index, %h: index, %i: index, %j: index):
      %c = arith.cmpi slt, %j, %n : index
      mha.yield %c : i1
    }
    %sums = mha.softmax %rows[%c0, %c0], %edge count(%c48, %n) scale 2.5e-01 rounded %rounded[%c0, %c0] : memref<48x?xbf16> : memref<48x?xf32>, <48>
    %p = mha.load %rounded[%c0, %c0] count %c48 : memref<48x?xbf16> -> <48x64xbf16>
    %value = mha.load %v[%c0, %c0] count %n : memref<32x64xi32> -> <64x64xbf16>
    %sum = mha.accumulate %acc, %p, %value : <48x64xf32>, <48x64xbf16>, <64x64xbf16>
    mha.finish %sum, %sums into %out[%c0, %c0] count %c48 : <48x64xf32>, <48>, memref<48x20xf32>
    return
  }
}
