// RUN: attune-opt %s --mha-assign-kernels | FileCheck %s
// RUN: sed s/tiles/vectors/ %s | attune-opt --mha-assign-kernels | FileCheck %s --check-prefix=VECTORS

// Products of pairs write the scores, which the softmax reads; probabilities are bfloat16. Whole tiles of
// values are packed. Probabilities take the memory of scores, whose rows are padded by a cache line.
// CHECK: %[[MEMORY:.*]] = memref.alloc() {alignment = 64 : i64} : memref<15360xi8>
// CHECK: call @attune_pack_row_pairs_bf16_
// CHECK: memref.view %[[MEMORY]][%{{.*}}][] : memref<15360xi8> to memref<48x80xf32>
// CHECK: memref.view %[[MEMORY]][%{{.*}}][] : memref<15360xi8> to memref<48x160xbf16>
// CHECK: call @attune_tile_products_c64_fresh_
// CHECK: call @attune_pair_softmax_
// CHECK: call @attune_tile_products_c64_rescaled_
// VECTORS: call @attune_pack_row_pairs_bf16_
// VECTORS: call @attune_pair_products_c64_fresh_
// VECTORS: call @attune_pair_softmax_
// VECTORS: call @attune_pair_products_c64_rescaled_
// The softmax looks itself where the keys of a row end, if keep says no more; other regions are applied before.
// CHECK-LABEL: func.func @limits
// CHECK-NOT: call @attune_regions
// CHECK: call @attune_pair_softmax_limited_
// CHECK-LABEL: func.func @diagonal
// CHECK: %[[END:.*]] = arith.addi %{{.*}}, %c48
// CHECK: arith.subi %[[END]], %c64
// CHECK-NOT: call @attune_regions
// CHECK: call @attune_pair_softmax_limited_
// CHECK-LABEL: func.func @odd_keys
// CHECK: call @attune_regions_of_products_6x4_d20_
// CHECK: call @attune_pair_softmax_
module attributes {mha.schedule = {query_tile = 48, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 6, projection_block_vectors = 4, projection_rows = 48, projection_depth = 64, weight_panel = 64, exp2_degree = 3, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 64, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32, pair_products = "tiles"}, mha.target = "sapphirerapids"} {
  func.func @forward(%q: memref<48x32xbf16>, %k: memref<1x16x64xi32>, %v: memref<64x20xbf16>, %out: memref<48x20xf32>, %n: index) {
    %c0 = arith.constant 0 : index
    %c48 = arith.constant 48 : index
    %pairs = memref.alloc() {alignment = 64 : i64} : memref<32x64xi32>
    mha.pack rows %v[%c0, %c0] count %n into %pairs[%c0, %c0] : memref<64x20xbf16>, memref<32x64xi32>
    %query = mha.load %q[%c0, %c0] count %c48 : memref<48x32xbf16> -> <48x20xbf16>
    %key = mha.load %k[%c0, %c0, %c0] count %n : memref<1x16x64xi32> -> <64x20xbf16, panel>
    %value = mha.load %pairs[%c0, %c0] count %n : memref<32x64xi32> -> <64x64xbf16>
    %acc, %stats = mha.start : <48x64xf32>, <48>
    %p, %rescale, %next = mha.scores %query, %key, %stats at(%c0, %c0, %c0, %c0) count(%c48, %n) scale 2.5e-01 : <48x20xbf16>, <64x20xbf16, panel> -> <48x64xbf16>, <48>, <48>
    %sum = mha.accumulate %acc rescale %rescale : !mha.rows<48>, %p, %value : <48x64xf32>, <48x64xbf16>, <64x64xbf16>
    mha.finish %sum, %next into %out[%c0, %c0] count %c48 : <48x64xf32>, <48>, memref<48x20xf32>
    return
  }
  func.func @limits(%q: memref<48x32xbf16>, %k: memref<1x16x64xi32>, %n: index) {
    %c0 = arith.constant 0 : index
    %c48 = arith.constant 48 : index
    %c64 = arith.constant 64 : index
    %query = mha.load %q[%c0, %c0] count %c48 : memref<48x32xbf16> -> <48x20xbf16>
    %key = mha.load %k[%c0, %c0, %c0] count %c64 : memref<1x16x64xi32> -> <64x20xbf16, panel>
    %acc, %stats = mha.start : <48x64xf32>, <48>
    %p, %rescale, %next = mha.scores %query, %key, %stats at(%c0, %c0, %c48, %c64) count(%c48, %c64) scale 2.5e-01 : <48x20xbf16>, <64x20xbf16, panel> -> <48x64xbf16>, <48>, <48> keep {
    ^bb0(%b: index, %h: index, %i: index, %j: index):
      %keep = arith.cmpi slt, %j, %n : index
      mha.yield %keep : i1
    }
    return
  }
  func.func @diagonal(%q: memref<48x32xbf16>, %k: memref<1x16x64xi32>, %n: index) {
    %c0 = arith.constant 0 : index
    %c48 = arith.constant 48 : index
    %c64 = arith.constant 64 : index
    %query = mha.load %q[%c0, %c0] count %c48 : memref<48x32xbf16> -> <48x20xbf16>
    %key = mha.load %k[%c0, %c0, %c0] count %c64 : memref<1x16x64xi32> -> <64x20xbf16, panel>
    %acc, %stats = mha.start : <48x64xf32>, <48>
    %p, %rescale, %next = mha.scores %query, %key, %stats at(%c0, %c0, %c48, %c64) count(%c48, %c64) scale 2.5e-01 : <48x20xbf16>, <64x20xbf16, panel> -> <48x64xbf16>, <48>, <48> keep {
    ^bb0(%b: index, %h: index, %i: index, %j: index):
      %end = arith.cmpi slt, %j, %n : index
      %causal = arith.cmpi sle, %j, %i : index
      %keep = arith.andi %end, %causal : i1
      mha.yield %keep : i1
    }
    return
  }
  func.func @odd_keys(%q: memref<48x32xbf16>, %k: memref<1x16x64xi32>, %n: index) {
    %c0 = arith.constant 0 : index
    %c48 = arith.constant 48 : index
    %c64 = arith.constant 64 : index
    %query = mha.load %q[%c0, %c0] count %c48 : memref<48x32xbf16> -> <48x20xbf16>
    %key = mha.load %k[%c0, %c0, %c0] count %c64 : memref<1x16x64xi32> -> <64x20xbf16, panel>
    %acc, %stats = mha.start : <48x64xf32>, <48>
    %p, %rescale, %next = mha.scores %query, %key, %stats at(%c0, %c0, %c48, %c64) count(%c48, %c64) scale 2.5e-01 : <48x20xbf16>, <64x20xbf16, panel> -> <48x64xbf16>, <48>, <48> keep {
    ^bb0(%b: index, %h: index, %i: index, %j: index):
      %one = arith.constant 1 : index
      %bit = arith.andi %j, %one : index
      %keep = arith.cmpi eq, %bit, %one : index
      mha.yield %keep : i1
    }
    return
  }
}
