// RUN: attune-opt %s --mha-tile | FileCheck %s

// L chooses the program; what the other one would need takes no memory.
// CHECK: %[[FEW:.*]] = arith.cmpi sle, %arg4, %c8{{.*}} : index
// CHECK-DAG: %[[SLOTS:.*]] = arith.select %[[FEW]], %{{.*}}, %c0{{.*}}
// CHECK-DAG: memref.alloc(%[[SLOTS]], %{{.*}}) {{.*}} : memref<?x?x8x64xf32>
// CHECK-DAG: %[[PACKED:.*]] = arith.select %[[FEW]], %c0{{.*}}, %{{.*}}
// CHECK-DAG: %[[COUNT:.*]] = arith.muli %[[PACKED]], %{{.*}} : index
// CHECK-DAG: %[[PANELS:.*]] = affine.apply #{{.*}}(%[[COUNT]])
// CHECK-DAG: memref.alloc(%[[PANELS]]) {{.*}} : memref<?x1x64x32xf32>
// CHECK: scf.if %[[FEW]] {
// CHECK: mha.save
// CHECK: mha.merge
// CHECK: } else {
// CHECK: mha.pack panel
// CHECK-NOT: mha.save
// CHECK: return
module attributes {mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 2, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 8, split_keys = 128, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @forward(%q: tensor<?x2x?x64xf32> {mha.input = "query"}, %k: tensor<?x2x?x64xf32> {mha.input = "key"}) -> tensor<?x2x?x64xf32> {
    %0 = mha.split_heads %q order nhld first 0 : tensor<?x2x?x64xf32> -> tensor<?x2x?x64xf32>
    %1 = mha.split_heads %k order nhld first 0 : tensor<?x2x?x64xf32> -> tensor<?x2x?x64xf32>
    %2 = mha.attend %0, %1, %1 scale 0.125 : (tensor<?x2x?x64xf32>, tensor<?x2x?x64xf32>, tensor<?x2x?x64xf32>) -> tensor<?x2x?x64xf32>
    %3 = mha.merge_heads %2 order nhld : tensor<?x2x?x64xf32> -> tensor<?x2x?x64xf32>
    return %3 : tensor<?x2x?x64xf32>
  }
}
