// RUN: attune-opt %s --mha-fuse-projections | FileCheck %s

// CHECK-LABEL: @separate_inputs
// CHECK-COUNT-2: mha.project {{.*}} -> tensor<?x8xf32>
func.func @separate_inputs(%k: tensor<?x8xf32>, %v: tensor<?x8xf32>, %w: tensor<24x8xf32>) -> (tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>) {
  %0 = mha.project %k, %w first 8 : (tensor<?x8xf32>, tensor<24x8xf32>) -> tensor<?x8xf32>
  %1 = mha.split_heads %0 order le first 0 : tensor<?x8xf32> -> tensor<1x2x?x4xf32>
  %2 = mha.project %v, %w first 16 : (tensor<?x8xf32>, tensor<24x8xf32>) -> tensor<?x8xf32>
  %3 = mha.split_heads %2 order le first 0 : tensor<?x8xf32> -> tensor<1x2x?x4xf32>
  return %1, %3 : tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>
}

// CHECK-LABEL: @rows_apart
// CHECK-COUNT-2: mha.project {{.*}} -> tensor<?x8xf32>
func.func @rows_apart(%x: tensor<?x8xf32>, %w: tensor<24x8xf32>) -> (tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>) {
  %0 = mha.project %x, %w first 0 : (tensor<?x8xf32>, tensor<24x8xf32>) -> tensor<?x8xf32>
  %1 = mha.split_heads %0 order le first 0 : tensor<?x8xf32> -> tensor<1x2x?x4xf32>
  %2 = mha.project %x, %w first 16 : (tensor<?x8xf32>, tensor<24x8xf32>) -> tensor<?x8xf32>
  %3 = mha.split_heads %2 order le first 0 : tensor<?x8xf32> -> tensor<1x2x?x4xf32>
  return %1, %3 : tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>
}

// CHECK-LABEL: @one_with_a_bias
// CHECK-COUNT-2: mha.project {{.*}} -> tensor<?x8xf32>
func.func @one_with_a_bias(%x: tensor<?x8xf32>, %w: tensor<24x8xf32>, %b: tensor<24xf32>) -> (tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>) {
  %0 = mha.project %x, %w first 8 : (tensor<?x8xf32>, tensor<24x8xf32>) -> tensor<?x8xf32>
  %1 = mha.split_heads %0 order le first 0 : tensor<?x8xf32> -> tensor<1x2x?x4xf32>
  %2 = mha.project %x, %w bias %b first 16 : (tensor<?x8xf32>, tensor<24x8xf32>, tensor<24xf32>) -> tensor<?x8xf32>
  %3 = mha.split_heads %2 order le first 0 : tensor<?x8xf32> -> tensor<1x2x?x4xf32>
  return %1, %3 : tensor<1x2x?x4xf32>, tensor<1x2x?x4xf32>
}

// The rows of a result that is used as a whole cannot become columns of another.
// CHECK-LABEL: @used_as_rows
// CHECK-COUNT-2: mha.project {{.*}} -> tensor<?x8xf32>
func.func @used_as_rows(%x: tensor<?x8xf32>, %w: tensor<24x8xf32>) -> (tensor<1x2x?x4xf32>, tensor<?x8xf32>) {
  %0 = mha.project %x, %w first 8 : (tensor<?x8xf32>, tensor<24x8xf32>) -> tensor<?x8xf32>
  %1 = mha.split_heads %0 order le first 0 : tensor<?x8xf32> -> tensor<1x2x?x4xf32>
  %2 = mha.project %x, %w first 16 : (tensor<?x8xf32>, tensor<24x8xf32>) -> tensor<?x8xf32>
  return %1, %2 : tensor<1x2x?x4xf32>, tensor<?x8xf32>
}
