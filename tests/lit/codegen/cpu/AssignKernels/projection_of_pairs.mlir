// RUN: attune-opt %s --mha-assign-kernels | FileCheck %s

// The first product into a fresh accumulator need not read it, so that it is not filled. The packed
// block stands for pairs as it lies.
// CHECK: %[[PAIRS:.*]] = builtin.unrealized_conversion_cast %arg1 : memref<1024xf32> to memref<1024xi32>
// CHECK: memref.reinterpret_cast %[[PAIRS]]
// CHECK-NOT: attune_fill
// CHECK: call @attune_tile_products_c64_fresh_
// CHECK: call @attune_emit_
module attributes {mha.schedule = {query_tile = 48, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 6, projection_block_vectors = 4, projection_rows = 48, projection_depth = 64, weight_panel = 64, exp2_degree = 3, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 64, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32, pair_products = "tiles"}, mha.target = "sapphirerapids"} {
  func.func @forward(%x: memref<48x32xbf16>, %packed: memref<1024xf32>, %out: memref<48x64xbf16>) {
    %c0 = arith.constant 0 : index
    %c32 = arith.constant 32 : index
    %c48 = arith.constant 48 : index
    %c64 = arith.constant 64 : index
    %pairs = mha.as_pairs %packed : memref<1024xf32> -> memref<1024xi32>
    %weight = memref.reinterpret_cast %pairs to offset: [0], sizes: [16, 64], strides: [64, 1] : memref<1024xi32> to memref<16x64xi32, strided<[64, 1]>>
    %a = mha.load %x[%c0, %c0] count %c48 columns %c32 : memref<48x32xbf16> -> <48x32xbf16>
    %b = mha.load %weight[%c0, %c0] count %c32 : memref<16x64xi32, strided<[64, 1]>> -> <32x64xbf16>
    %zero = mha.zero : <48x64xf32>
    %sum = mha.accumulate %zero, %a, %b {projection} : <48x64xf32>, <48x32xbf16>, <32x64xbf16>
    mha.emit %sum into %out[%c0, %c0] count(%c48, %c64) : <48x64xf32>, memref<48x64xbf16>
    return
  }
}
