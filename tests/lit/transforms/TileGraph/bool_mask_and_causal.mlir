// RUN: attune-opt %s --mha-tile | FileCheck %s

// Of j <= i and a mask, the first bounds the loops and the second alone runs on full tiles.
// CHECK-DAG: #[[LAST_ROW:.*]] = affine_map<(d0, d1, d2) -> (d2, d0 + d1)>
// CHECK-DAG: #[[FIRST_ROW:.*]] = affine_map<(d0, d1, d2) -> (d2, d0 + 1)>
// CHECK: affine.min #[[LAST_ROW]]
// CHECK: affine.min #[[FIRST_ROW]]
// CHECK: scf.for
// CHECK: keep {
// CHECK-NOT: arith.cmpi s
// CHECK: arith.cmpi eq
// CHECK: scf.for
// CHECK: keep {
// CHECK: arith.cmpi slt
// CHECK: arith.cmpi sle
// CHECK: arith.cmpi eq
module attributes {mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 1024, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @forward(%q: tensor<?x2x?x64xf32> {mha.input = "query"}, %k: tensor<?x2x?x64xf32> {mha.input = "key"}, %m: tensor<?x?xi8> {mha.input = "attn_mask"}) -> tensor<?x2x?x64xf32> {
    %0 = mha.split_heads %q order nhld first 0 : tensor<?x2x?x64xf32> -> tensor<?x2x?x64xf32>
    %1 = mha.split_heads %k order nhld first 0 : tensor<?x2x?x64xf32> -> tensor<?x2x?x64xf32>
    %2 = mha.attend %0, %1, %1 scale 0.125 : (tensor<?x2x?x64xf32>, tensor<?x2x?x64xf32>, tensor<?x2x?x64xf32>) -> tensor<?x2x?x64xf32> keep {
    ^bb0(%b: index, %h: index, %i: index, %j: index):
      %causal = arith.cmpi sle, %j, %i : index
      %e = mha.element %m[%i, %j] : tensor<?x?xi8> -> i8
      %zero = arith.constant 0 : i8
      %seen = arith.cmpi eq, %e, %zero : i8
      %both = arith.andi %causal, %seen : i1
      mha.yield %both : i1
    }
    %3 = mha.merge_heads %2 order nhld : tensor<?x2x?x64xf32> -> tensor<?x2x?x64xf32>
    return %3 : tensor<?x2x?x64xf32>
  }
}
