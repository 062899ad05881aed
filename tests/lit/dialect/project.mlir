// RUN: attune-opt %s | attune-opt | FileCheck %s

// CHECK-LABEL: @rows_of_a_weight
// CHECK: mha.project %arg0, %arg1 first 8 : (tensor<?x8xf32>, tensor<24x8xf32>) -> tensor<?x16xf32>
func.func @rows_of_a_weight(%x: tensor<?x8xf32>, %w: tensor<24x8xf32>) -> tensor<?x16xf32> {
  %r = mha.project %x, %w first 8 : (tensor<?x8xf32>, tensor<24x8xf32>) -> tensor<?x16xf32>
  return %r : tensor<?x16xf32>
}

// CHECK-LABEL: @packed_panels
// CHECK: mha.project %arg0, %arg1 bias %arg2 first 0 : (tensor<?x8xf32>, tensor<2x8x16xf32>, tensor<32xf32>) -> tensor<?x24xf32>
func.func @packed_panels(%x: tensor<?x8xf32>, %w: tensor<2x8x16xf32>, %b: tensor<32xf32>) -> tensor<?x24xf32> {
  %r = mha.project %x, %w bias %b first 0 : (tensor<?x8xf32>, tensor<2x8x16xf32>, tensor<32xf32>) -> tensor<?x24xf32>
  return %r : tensor<?x24xf32>
}

// CHECK-LABEL: @pack
// CHECK: mha.pack_weight %arg0 first 0 columns 24 : tensor<24x8xf32> -> tensor<2x8x16xf32>
// CHECK: mha.pack_bias %arg1 first 0 columns 24 : tensor<24xf32> -> tensor<32xf32>
func.func @pack(%w: tensor<24x8xf32>, %b: tensor<24xf32>) -> (tensor<2x8x16xf32>, tensor<32xf32>) {
  %0 = mha.pack_weight %w first 0 columns 24 : tensor<24x8xf32> -> tensor<2x8x16xf32>
  %1 = mha.pack_bias %b first 0 columns 24 : tensor<24xf32> -> tensor<32xf32>
  return %0, %1 : tensor<2x8x16xf32>, tensor<32xf32>
}
