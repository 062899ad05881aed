// RUN: attune-opt %s | attune-opt | FileCheck %s

// CHECK-LABEL: @appended
// CHECK: %[[K:.*]] = mha.appended %arg1 : tensor<1x1x8xf32> -> tensor<2x2x4xf32>
// CHECK: %[[Z:.*]] = mha.appended -> tensor<2x2x4xf32>
// CHECK: mha.pack_appended panel %[[K]] : tensor<2x2x4xf32> -> tensor<2x1x4x16xf32>
// CHECK: mha.pack_appended rows %[[Z]] : tensor<2x2x4xf32> -> tensor<2x2x16xf32>
// CHECK: mha.attention %arg0, %arg0, %arg0 append(%[[K]], %[[Z]]) key_padding_mask(%arg2) scale
// CHECK: %{{.*}}, %{{.*}} = mha.attend %arg0, %arg0, %arg0 append(%[[K]], %[[Z]]) scale
func.func @appended(%q: tensor<?x2x?x4xf32>, %b: tensor<1x1x8xf32>, %p: tensor<?x?xi8>) -> (tensor<?x2x?x4xf32>, tensor<?x2x?x?xf32>) {
  %k = mha.appended %b : tensor<1x1x8xf32> -> tensor<2x2x4xf32>
  %z = mha.appended -> tensor<2x2x4xf32>
  %panel = mha.pack_appended panel %k : tensor<2x2x4xf32> -> tensor<2x1x4x16xf32>
  %rows = mha.pack_appended rows %z : tensor<2x2x4xf32> -> tensor<2x2x16xf32>
  %0 = mha.attention %q, %q, %q append(%k, %z) key_padding_mask(%p) scale 5.000000e-01
    : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<2x2x4xf32>, tensor<2x2x4xf32>, tensor<?x?xi8>) -> tensor<?x2x?x4xf32>
  %1, %w = mha.attend %q, %q, %q append(%k, %z) scale 5.000000e-01
    : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<2x2x4xf32>, tensor<2x2x4xf32>) -> (tensor<?x2x?x4xf32>, tensor<?x2x?x?xf32>)
  return %1, %w : tensor<?x2x?x4xf32>, tensor<?x2x?x?xf32>
}
