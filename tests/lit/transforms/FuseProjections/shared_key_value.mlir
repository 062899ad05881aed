// RUN: attune-opt %s --mha-fuse-projections | FileCheck %s

// Key and value share an input: their projections fuse, that of query stays.
// CHECK: mha.project %arg0, %arg2 first 0 {{.*}} -> tensor<?x8xf32>
// CHECK: %[[KV:.*]] = mha.project %arg1, %arg2 first 8 {{.*}} -> tensor<?x16xf32>
// CHECK-NOT: mha.project
// CHECK: mha.split_heads %[[KV]] order le first 0
// CHECK: mha.split_heads %[[KV]] order le first 8
func.func @forward(%q: tensor<?x8xf32>, %kv: tensor<?x8xf32>, %w: tensor<24x8xf32>)
    -> (tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>) {
  %0 = mha.project %q, %w first 0 : (tensor<?x8xf32>, tensor<24x8xf32>) -> tensor<?x8xf32>
  %1 = mha.split_heads %0 order le first 0 : tensor<?x8xf32> -> tensor<1x2x?x4xf32>
  %2 = mha.project %kv, %w first 8 : (tensor<?x8xf32>, tensor<24x8xf32>) -> tensor<?x8xf32>
  %3 = mha.split_heads %2 order le first 0 : tensor<?x8xf32> -> tensor<1x2x?x4xf32>
  %4 = mha.project %kv, %w first 16 : (tensor<?x8xf32>, tensor<24x8xf32>) -> tensor<?x8xf32>
  %5 = mha.split_heads %4 order le first 0 : tensor<?x8xf32> -> tensor<1x2x?x4xf32>
  return %1, %3, %5 : tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>
}
