// RUN: attune-opt %s --mha-tile | FileCheck %s

// The visible keys of a batch element bound packing and both loops; hidden values are packed as zeros, so they
// are packed although the schedule would read them in place. A tile of padding has one row.
// CHECK-DAG: #[[DOWN:.*]] = affine_map<(d0) -> (d0 floordiv 64)>
// CHECK: %[[RANGES:.*]] = memref.alloc(%arg4) {alignment = 64 : i64} : memref<?x2xi32>
// CHECK: scf.forall (%[[B:.*]]) in (%arg4) {
// CHECK: mha.key_range %arg2[%[[B]], %c0{{.*}}] count %arg6 into %[[RANGES]][%[[B]], %c0{{.*}}] : memref<?x?xi8, strided<[?, 1]>>, memref<?x2xi32>
// CHECK: %[[VALUES:.*]] = memref.alloc({{.*}}) {alignment = 64 : i64} : memref<?x?x64xf32>
// CHECK: scf.forall (%[[B:.*]], %{{.*}}, %{{.*}}) in
// CHECK: %[[END:.*]] = memref.load %[[RANGES]][%[[B]], %c1{{.*}}]
// CHECK: %[[LIMIT:.*]] = arith.index_cast %[[END]] : i32 to index
// CHECK: affine.min #{{.*}}(%[[LIMIT]], %{{.*}})
// CHECK: mha.pack rows %arg1[{{.*}}] count %{{.*}} into %[[VALUES]][{{.*}}] padding %arg2[%[[B]], %{{.*}}] : memref<?x?xi8, strided<[?, 1]>>
// CHECK: scf.forall (%[[B:.*]], %{{.*}}, %{{.*}}) in
// CHECK: %[[START:.*]] = memref.load %[[RANGES]][%[[B]], %c0{{.*}}]
// CHECK: %[[FIRST:.*]] = arith.index_cast %[[START]] : i32 to index
// CHECK: %[[LIMIT:.*]] = arith.index_cast %{{.*}} : i32 to index
// CHECK: %[[FROM:.*]] = affine.apply #[[DOWN]](%[[FIRST]])
// CHECK: %[[FULL:.*]] = arith.maxsi %{{.*}}, %[[FROM]]
// CHECK: scf.for %{{.*}} = %[[FROM]] to %[[FULL]]
// CHECK: mha.load %arg2[%[[B]], %{{.*}}] columns %c64{{.*}} -> <1x64xi8>
// CHECK: mha.classify %{{.*}} : <1x64xi8>
// CHECK: mha.scores {{.*}} tiles(%{{.*}} : !mha.tile<1x64xi8>) {{.*}} keep {
// CHECK: scf.for %{{.*}} = %[[FULL]] to
// CHECK: arith.cmpi slt, %{{.*}}, %[[LIMIT]]
module attributes {mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 2, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 1024, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @forward(%q: tensor<?x2x?x64xf32> {mha.input = "query"}, %k: tensor<?x2x?x64xf32> {mha.input = "key"}, %p: tensor<?x?xi8> {mha.input = "key_padding_mask"}) -> tensor<?x2x?x64xf32> {
    %0 = mha.split_heads %q order nhld first 0 : tensor<?x2x?x64xf32> -> tensor<?x2x?x64xf32>
    %1 = mha.split_heads %k order nhld first 0 : tensor<?x2x?x64xf32> -> tensor<?x2x?x64xf32>
    %2 = mha.attend %0, %1, %1 scale 0.125 : (tensor<?x2x?x64xf32>, tensor<?x2x?x64xf32>, tensor<?x2x?x64xf32>) -> tensor<?x2x?x64xf32> keep {
    ^bb0(%b: index, %h: index, %i: index, %j: index):
      %e = mha.element %p[%b, %j] : tensor<?x?xi8> -> i8
      %zero = arith.constant 0 : i8
      %seen = arith.cmpi eq, %e, %zero : i8
      mha.yield %seen : i1
    }
    %3 = mha.merge_heads %2 order nhld : tensor<?x2x?x64xf32> -> tensor<?x2x?x64xf32>
    return %3 : tensor<?x2x?x64xf32>
  }
}
