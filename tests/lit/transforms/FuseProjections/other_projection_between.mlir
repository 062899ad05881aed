// RUN: attune-opt %s --mha-fuse-projections | FileCheck %s

// A projection of another input stands between the two that fuse: the wide one takes the first place.
// CHECK: %[[WIDE:.*]] = mha.project %arg0, %arg2 first 0 {{.*}} -> tensor<?x16xf32>
// CHECK: mha.project %arg1, %arg2 first 16 {{.*}} -> tensor<?x8xf32>
// CHECK-NOT: mha.project
// CHECK: mha.split_heads %[[WIDE]] order le first 8
func.func @forward(%x: tensor<?x8xf32>, %y: tensor<?x8xf32>, %w: tensor<24x8xf32>)
    -> (tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>) {
  %0 = mha.project %x, %w first 0 : (tensor<?x8xf32>, tensor<24x8xf32>) -> tensor<?x8xf32>
  %1 = mha.split_heads %0 order le first 0 : tensor<?x8xf32> -> tensor<1x2x?x4xf32>
  %2 = mha.project %y, %w first 16 : (tensor<?x8xf32>, tensor<24x8xf32>) -> tensor<?x8xf32>
  %3 = mha.split_heads %2 order le first 0 : tensor<?x8xf32> -> tensor<1x2x?x4xf32>
  %4 = mha.project %x, %w first 8 : (tensor<?x8xf32>, tensor<24x8xf32>) -> tensor<?x8xf32>
  %5 = mha.split_heads %4 order le first 0 : tensor<?x8xf32> -> tensor<1x2x?x4xf32>
  return %1, %3, %5 : tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>
}
