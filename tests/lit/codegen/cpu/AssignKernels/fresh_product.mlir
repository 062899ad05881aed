// RUN: attune-opt %s --mha-assign-kernels | FileCheck %s

// An accumulator that starts with a product is neither filled with zeros nor read.
// CHECK: scf.forall
// CHECK-NEXT: %[[ACC:.*]] = memref.alloc() {alignment = 64 : i64} : memref<16x16xf32>
// CHECK-NOT: @attune_fill
// CHECK: %[[OUT:.*]] = memref.cast %[[ACC]]
// CHECK: call @attune_accumulate_8x1_c16_[[FRESH:[0-9a-f]+]](%{{[^,]+}}, %{{[^,]+}}, %{{[^,]+}}, %{{[^,]+}}, %[[OUT]]) :
// CHECK-NOT: [[FRESH]]
// CHECK: call @attune_accumulate_8x1_c16_{{[0-9a-f]+}}(%{{[^,]+}}, %{{[^,]+}}, %{{[^,]+}}, %{{[^,]+}}, %{{[^,]+}}, %{{[^,]+}}) :
module attributes {mha.target = "skylake-avx512", mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 1024, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @f(%x: memref<?x64xf32>, %w: memref<64x16xf32>, %out: memref<?x16xf32>, %n: index) {
    %c0 = arith.constant 0 : index
    %c32 = arith.constant 32 : index
    scf.forall (%i) in (%n) {
      %zero = mha.zero : <16x16xf32>
      %a = mha.load %x[%i, %c0] count %n columns %c32 : memref<?x64xf32> -> <16x32xf32>
      %t = mha.load %w[%c0, %c0] count %c32 : memref<64x16xf32> -> <32x16xf32>
      %first = mha.accumulate %zero, %a, %t {projection} : <16x16xf32>, <16x32xf32>, <32x16xf32>
      %b = mha.load %x[%i, %c32] count %n columns %c32 : memref<?x64xf32> -> <16x32xf32>
      %u = mha.load %w[%c32, %c0] count %c32 : memref<64x16xf32> -> <32x16xf32>
      %sum = mha.accumulate %first, %b, %u {projection} : <16x16xf32>, <16x32xf32>, <32x16xf32>
      mha.emit %sum into %out[%i, %c0] count(%n, %n) : <16x16xf32>, memref<?x16xf32>
    }
    return
  }
}
