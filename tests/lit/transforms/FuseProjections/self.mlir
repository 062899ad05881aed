// RUN: attune-opt %s --mha-fuse-projections | FileCheck %s

// Self attention: one projection of 24 columns; query, key and value view 8 of them each.
// CHECK: %[[WIDE:.*]] = mha.project %arg0, %arg1 bias %arg2 first 0 {{.*}} -> tensor<?x24xf32>
// CHECK-NOT: mha.project
// CHECK: mha.split_heads %[[WIDE]] order le first 0
// CHECK: mha.split_heads %[[WIDE]] order le first 8
// CHECK: mha.split_heads %[[WIDE]] order le first 16
func.func @forward(%x: tensor<?x8xf32>, %w: tensor<24x8xf32>, %b: tensor<24xf32>)
    -> (tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>) {
  %0 = mha.project %x, %w bias %b first 0 : (tensor<?x8xf32>, tensor<24x8xf32>, tensor<24xf32>) -> tensor<?x8xf32>
  %1 = mha.split_heads %0 order le first 0 : tensor<?x8xf32> -> tensor<1x2x?x4xf32>
  %2 = mha.project %x, %w bias %b first 8 : (tensor<?x8xf32>, tensor<24x8xf32>, tensor<24xf32>) -> tensor<?x8xf32>
  %3 = mha.split_heads %2 order le first 0 : tensor<?x8xf32> -> tensor<1x2x?x4xf32>
  %4 = mha.project %x, %w bias %b first 16 : (tensor<?x8xf32>, tensor<24x8xf32>, tensor<24xf32>) -> tensor<?x8xf32>
  %5 = mha.split_heads %4 order le first 0 : tensor<?x8xf32> -> tensor<1x2x?x4xf32>
  return %1, %3, %5 : tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>
}
