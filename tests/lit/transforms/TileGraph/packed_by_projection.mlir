// RUN: attune-opt %s --mha-tile --split-input-file | FileCheck %s

// Columns 0 to 63 of the wide projection are rows for the queries, an odd number of cache lines apart; keys and
// values of all heads go to the buffers that attention reads, batch element by batch element and head by head.
// Nothing else packs them.
// CHECK-LABEL: func.func @forward
// CHECK-SAME: %[[N:[a-z0-9]+]]: index, %[[L:[a-z0-9]+]]: index, %{{[a-z0-9]+}}: index)
// CHECK-DAG: %[[HEADS:.*]] = arith.muli %[[N]], %c2
// CHECK: %[[KEYS:.*]] = memref.alloc(%{{.*}}) {alignment = 64 : i64} : memref<?x1x16x64xi32>
// CHECK: %[[VALUES:.*]] = memref.alloc(%[[HEADS]], %{{.*}}) {alignment = 64 : i64} : memref<?x?x64xi32>
// CHECK: %[[MEMORY:.*]] = memref.alloc(%{{.*}}) {alignment = 64 : i64} : memref<?x96xbf16>
// CHECK: %[[ROWS:.*]] = memref.subview %[[MEMORY]]{{.*}} : memref<?x96xbf16> to memref<?x64xbf16, strided<[96, 1]>>
// CHECK: scf.forall (%[[TILE:.*]], %[[PANEL:.*]]) in
// CHECK: %[[ACC:.*]] = mha.accumulate
// CHECK: %[[FIRST:.*]] = arith.divsi %[[ROW:.*]], %[[L]]
// CHECK: %[[END:.*]] = arith.ceildivsi %{{.*}}, %[[L]]
// CHECK: scf.for %[[BATCH:.*]] = %[[FIRST]] to %[[END]]
// CHECK: scf.for %[[HEAD:.*]] =
// CHECK: %[[BEFORE:.*]] = arith.muli %[[BATCH]], %[[L]]
// CHECK: %[[SLOT:.*]] = affine.apply {{.*}}(%[[BATCH]], %[[HEAD]])
// CHECK: %[[FIRSTPANEL:.*]] = arith.muli %[[SLOT]]
// CHECK: mha.emit_packed panel %[[ACC]][%{{.*}}, %{{.*}}] into %[[KEYS]][%[[FIRSTPANEL]], %{{.*}}] at(%{{.*}}, %{{.*}}) count(%{{.*}}, %{{.*}}) fill(%{{.*}}, %{{.*}})
// CHECK: mha.emit_packed rows %[[ACC]][%{{.*}}, %{{.*}}] into %[[VALUES]][
// CHECK: %[[HASROWS:.*]] = arith.cmpi slt, %{{.*}}, %c64
// CHECK: scf.if %[[HASROWS]]
// CHECK: mha.emit %[[ACC]] into %[[ROWS]]
// CHECK-NOT: mha.pack panel
// CHECK: %[[TILES:.*]] = memref.reinterpret_cast %[[KEYS]] to {{.*}} to memref<?x?x1x16x64xi32
// CHECK-NOT: mha.pack panel
// CHECK: scf.if
// CHECK: mha.load %[[TILES]][
// CHECK: mha.load %[[VALUES]][
module attributes {mha.schedule = {query_tile = 48, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 6, projection_block_vectors = 4, projection_rows = 48, projection_depth = 64, weight_panel = 64, exp2_degree = 3, grain = 1, heads_per_worker = 8, few_rows = 8, split_keys = 64, pack_value = "per_head"}, mha.cpu = {vector_lanes = 16, vector_registers = 32, pair_products = "tiles"}} {
  func.func @forward(%x: tensor<?x?x64xbf16> {mha.input = "query"}, %w: tensor<3x32x64xi32> {mha.packed}) -> tensor<?x?x64xbf16> {
    %0 = mha.project %x, %w first 0 : (tensor<?x?x64xbf16>, tensor<3x32x64xi32>) -> tensor<?x?x192xbf16>
    %1 = mha.split_heads %0 order nle first 0 : tensor<?x?x192xbf16> -> tensor<?x2x?x32xbf16>
    %2 = mha.split_heads %0 order nle first 64 : tensor<?x?x192xbf16> -> tensor<?x2x?x32xbf16>
    %3 = mha.split_heads %0 order nle first 128 : tensor<?x?x192xbf16> -> tensor<?x2x?x32xbf16>
    %4 = mha.attend %1, %2, %3 scale 0.25 : (tensor<?x2x?x32xbf16>, tensor<?x2x?x32xbf16>, tensor<?x2x?x32xbf16>) -> tensor<?x2x?x32xbf16>
    %5 = mha.merge_heads %4 order nle : tensor<?x2x?x32xbf16> -> tensor<?x?x64xbf16>
    %6 = mha.project %5, %w first 0 : (tensor<?x?x64xbf16>, tensor<3x32x64xi32>) -> tensor<?x?x64xbf16>
    return %6 : tensor<?x?x64xbf16>
  }
}

// -----

// Separate projections leave no rows of keys and values at all.
// CHECK-LABEL: func.func @forward
// CHECK-COUNT-1: to memref<?x64xbf16, strided<[96, 1]>>
// CHECK: mha.emit {{.*}} memref<?x64xbf16, strided<[96, 1]>>
// CHECK: mha.emit_packed panel
// CHECK-NOT: mha.emit %
// CHECK: mha.emit_packed rows
// CHECK-NOT: mha.emit %
// CHECK: mha.scores
module attributes {mha.schedule = {query_tile = 48, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 6, projection_block_vectors = 4, projection_rows = 48, projection_depth = 64, weight_panel = 64, exp2_degree = 3, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 64, pack_value = "per_head"}, mha.cpu = {vector_lanes = 16, vector_registers = 32, pair_products = "tiles"}} {
  func.func @forward(%q: tensor<?x64xbf16> {mha.input = "query"}, %k: tensor<?x64xbf16> {mha.input = "key"}, %v: tensor<?x64xbf16> {mha.input = "value"}, %w: tensor<1x32x64xi32> {mha.packed}) -> tensor<?x64xbf16> {
    %0 = mha.project %q, %w first 0 : (tensor<?x64xbf16>, tensor<1x32x64xi32>) -> tensor<?x64xbf16>
    %1 = mha.split_heads %0 order le first 0 : tensor<?x64xbf16> -> tensor<1x2x?x32xbf16>
    %2 = mha.project %k, %w first 0 : (tensor<?x64xbf16>, tensor<1x32x64xi32>) -> tensor<?x64xbf16>
    %3 = mha.split_heads %2 order le first 0 : tensor<?x64xbf16> -> tensor<1x2x?x32xbf16>
    %4 = mha.project %v, %w first 0 : (tensor<?x64xbf16>, tensor<1x32x64xi32>) -> tensor<?x64xbf16>
    %5 = mha.split_heads %4 order le first 0 : tensor<?x64xbf16> -> tensor<1x2x?x32xbf16>
    %6 = mha.attend %1, %3, %5 scale 0.25 : (tensor<1x2x?x32xbf16>, tensor<1x2x?x32xbf16>, tensor<1x2x?x32xbf16>) -> tensor<1x2x?x32xbf16>
    %7 = mha.merge_heads %6 order le : tensor<1x2x?x32xbf16> -> tensor<?x64xbf16>
    %8 = mha.project %7, %w first 0 : (tensor<?x64xbf16>, tensor<1x32x64xi32>) -> tensor<?x64xbf16>
    return %8 : tensor<?x64xbf16>
  }
}

// -----

// Products of float32: the whole depth, of any size, and rows of values, padded to whole accumulators.
// CHECK-LABEL: func.func @forward
// CHECK: %[[KEYS:.*]] = memref.alloc(%{{.*}}) {alignment = 64 : i64} : memref<?x1x31x64xf32>
// CHECK: %[[VALUES:.*]] = memref.alloc(%{{.*}}, %{{.*}}) {alignment = 64 : i64} : memref<?x?x64xf32>
// CHECK: mha.emit_packed panel %{{.*}}[%{{.*}}, %{{.*}}] into %[[KEYS]][
// CHECK: mha.emit_packed rows %{{.*}}[%{{.*}}, %{{.*}}] into %[[VALUES]][
// CHECK: %[[TILES:.*]] = memref.reinterpret_cast %[[KEYS]] to {{.*}} to memref<?x?x1x31x64xf32
// CHECK-NOT: mha.pack panel
// CHECK: mha.load %[[TILES]][
// CHECK: mha.load %[[VALUES]][
module attributes {mha.schedule = {query_tile = 48, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 6, projection_block_vectors = 4, projection_rows = 48, projection_depth = 64, weight_panel = 64, exp2_degree = 3, grain = 1, heads_per_worker = 8, few_rows = 8, split_keys = 64, pack_value = "per_head"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @forward(%x: tensor<?x?x64xf32> {mha.input = "query"}, %w: tensor<3x64x64xf32> {mha.packed}, %w2: tensor<1x62x64xf32> {mha.packed}) -> tensor<?x?x64xf32> {
    %0 = mha.project %x, %w first 0 : (tensor<?x?x64xf32>, tensor<3x64x64xf32>) -> tensor<?x?x186xf32>
    %1 = mha.split_heads %0 order nle first 0 : tensor<?x?x186xf32> -> tensor<?x2x?x31xf32>
    %2 = mha.split_heads %0 order nle first 62 : tensor<?x?x186xf32> -> tensor<?x2x?x31xf32>
    %3 = mha.split_heads %0 order nle first 124 : tensor<?x?x186xf32> -> tensor<?x2x?x31xf32>
    %4 = mha.attend %1, %2, %3 scale 0.25 : (tensor<?x2x?x31xf32>, tensor<?x2x?x31xf32>, tensor<?x2x?x31xf32>) -> tensor<?x2x?x31xf32>
    %5 = mha.merge_heads %4 order nle : tensor<?x2x?x31xf32> -> tensor<?x?x62xf32>
    %6 = mha.project %5, %w2 first 0 : (tensor<?x?x62xf32>, tensor<1x62x64xf32>) -> tensor<?x?x64xf32>
    return %6 : tensor<?x?x64xf32>
  }
}

// -----

// A call with a few query rows reads keys and values as rows where they lie: the length of the target says which of
// the two a call stores, and how large each is.
// CHECK-LABEL: func.func @forward
// CHECK-SAME: %[[L:[a-z0-9]+]]: index, %{{[a-z0-9]+}}: index)
// CHECK: arith.cmpi sle, %[[L]], %c8
// CHECK: %[[HEADS:.*]] = arith.select
// CHECK: %[[KEYS:.*]] = memref.alloc(%{{.*}}) {alignment = 64 : i64} : memref<?x1x16x64xi32>
// CHECK: %[[VALUES:.*]] = memref.alloc(%[[HEADS]], %{{.*}}) {alignment = 64 : i64} : memref<?x?x64xi32>
// CHECK: arith.select %{{.*}}, %{{.*}}, %c0
// CHECK: %[[MEMORY:.*]] = memref.alloc(%{{.*}}) {alignment = 64 : i64} : memref<?x160xbf16>
// CHECK: %[[ROWS:.*]] = memref.subview %[[MEMORY]]{{.*}} : memref<?x160xbf16> to memref<?x128xbf16, strided<[160, 1]>>
// CHECK: %[[FEW:.*]] = arith.cmpi sle, %[[L]], %c8
// CHECK: %[[MANY:.*]] = arith.xori %[[FEW]], %true
// CHECK: scf.if %[[MANY]]
// CHECK: mha.emit_packed panel %{{.*}} into %[[KEYS]][
// CHECK: mha.emit_packed rows %{{.*}} into %[[VALUES]][
// CHECK: %[[COLUMNS:.*]] = arith.select %[[FEW]], %c128{{.*}}, %c0
// CHECK: %[[HASROWS:.*]] = arith.cmpi slt, %{{.*}}, %[[COLUMNS]]
// CHECK: scf.if %[[HASROWS]]
// CHECK: mha.emit %{{.*}} into %[[ROWS]][
// CHECK: %[[HEADROWS:.*]] = memref.reinterpret_cast %[[ROWS]]
// CHECK-NOT: mha.pack panel
// CHECK: mha.load %[[HEADROWS]][
// CHECK: mha.merge
// CHECK-NOT: mha.pack panel
// CHECK: mha.load %[[VALUES]][
module attributes {mha.schedule = {query_tile = 48, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 6, projection_block_vectors = 4, projection_rows = 48, projection_depth = 64, weight_panel = 64, exp2_degree = 3, grain = 1, heads_per_worker = 8, few_rows = 8, split_keys = 64, pack_value = "per_head"}, mha.cpu = {vector_lanes = 16, vector_registers = 32, pair_products = "tiles"}} {
  func.func @forward(%q: tensor<?x64xbf16> {mha.input = "query"}, %k: tensor<?x64xbf16> {mha.input = "key"}, %w: tensor<1x32x64xi32> {mha.packed}, %w2: tensor<2x32x64xi32> {mha.packed}) -> tensor<?x64xbf16> {
    %0 = mha.project %q, %w first 0 : (tensor<?x64xbf16>, tensor<1x32x64xi32>) -> tensor<?x64xbf16>
    %1 = mha.split_heads %0 order le first 0 : tensor<?x64xbf16> -> tensor<1x2x?x32xbf16>
    %2 = mha.project %k, %w2 first 0 : (tensor<?x64xbf16>, tensor<2x32x64xi32>) -> tensor<?x128xbf16>
    %3 = mha.split_heads %2 order le first 0 : tensor<?x128xbf16> -> tensor<1x2x?x32xbf16>
    %4 = mha.split_heads %2 order le first 64 : tensor<?x128xbf16> -> tensor<1x2x?x32xbf16>
    %5 = mha.attend %1, %3, %4 scale 0.25 : (tensor<1x2x?x32xbf16>, tensor<1x2x?x32xbf16>, tensor<1x2x?x32xbf16>) -> tensor<1x2x?x32xbf16>
    %6 = mha.merge_heads %5 order le : tensor<1x2x?x32xbf16> -> tensor<?x64xbf16>
    %7 = mha.project %6, %w first 0 : (tensor<?x64xbf16>, tensor<1x32x64xi32>) -> tensor<?x64xbf16>
    return %7 : tensor<?x64xbf16>
  }
}
