// RUN: attune-opt %s --mha-tile | FileCheck %s

// A tile of a bool mask is looked at first: one without a visible key is passed over, one that is visible
// throughout runs without the mask. An edge tile runs all of keep wherever some key is visible.
// CHECK: scf.for {{.*}} iter_args(%[[ACC:.*]] = %{{.*}}, %[[STATS:.*]] = %{{.*}})
// CHECK: %[[MASK:.*]] = mha.load %arg2[%{{.*}}, %{{.*}}] count %{{.*}} columns %c64{{.*}} : memref<?x?xi8, strided<[?, 1]>> -> <6x64xi8>
// CHECK: %[[SOME:.*]], %[[ALL:.*]] = mha.classify %[[MASK]] : <6x64xi8>
// CHECK: scf.if %[[SOME]] -> (!mha.tile<6x64xf32>, !mha.stats<6>) {
// CHECK:   scf.if %[[ALL]] -> (!mha.tile<6x64xf32>, !mha.stats<6>) {
// CHECK-NOT: keep
// CHECK:   } else {
// CHECK:     %[[OPERAND:.*]] = mha.load %arg2
// CHECK:     mha.scores {{.*}} tiles(%[[OPERAND]] : !mha.tile<6x64xi8>) {{.*}} keep {
// CHECK-NEXT: ^bb0(%{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %{{.*}}: index, %[[E:.*]]: i8):
// CHECK:     arith.cmpi eq, %[[E]], %c0_i8
// CHECK-NOT: arith.andi
// CHECK: } else {
// CHECK-NEXT: scf.yield %[[ACC]], %[[STATS]]
// CHECK: scf.for
// CHECK: mha.load %arg2[%{{.*}}, %{{.*}}] count %{{.*}} columns %[[LEFT:[0-9]+]]
// CHECK: mha.classify
// CHECK: scf.if
// CHECK-NOT: scf.if
// CHECK: mha.scores {{.*}} keep {
// CHECK: arith.cmpi slt
// CHECK: arith.cmpi eq
// CHECK: arith.andi
module attributes {mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 1024, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @forward(%q: tensor<?x2x?x64xf32> {mha.input = "query"}, %k: tensor<?x2x?x64xf32> {mha.input = "key"}, %m: tensor<?x?xi8> {mha.input = "attn_mask"}) -> tensor<?x2x?x64xf32> {
    %0 = mha.split_heads %q order nhld first 0 : tensor<?x2x?x64xf32> -> tensor<?x2x?x64xf32>
    %1 = mha.split_heads %k order nhld first 0 : tensor<?x2x?x64xf32> -> tensor<?x2x?x64xf32>
    %2 = mha.attend %0, %1, %1 scale 0.125 : (tensor<?x2x?x64xf32>, tensor<?x2x?x64xf32>, tensor<?x2x?x64xf32>) -> tensor<?x2x?x64xf32> keep {
    ^bb0(%b: index, %h: index, %i: index, %j: index):
      %e = mha.element %m[%i, %j] : tensor<?x?xi8> -> i8
      %zero = arith.constant 0 : i8
      %seen = arith.cmpi eq, %e, %zero : i8
      mha.yield %seen : i1
    }
    %3 = mha.merge_heads %2 order nhld : tensor<?x2x?x64xf32> -> tensor<?x2x?x64xf32>
    return %3 : tensor<?x2x?x64xf32>
  }
}
