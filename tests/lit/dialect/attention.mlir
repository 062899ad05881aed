// RUN: attune-opt %s | attune-opt | FileCheck %s

// CHECK-LABEL: @masked
// CHECK: mha.attention %arg0, %arg0, %arg0 attn_mask(%arg1) scale 5.000000e-01 {is_causal, nan_masked_rows}
func.func @masked(%q: tensor<?x2x?x4xf32>, %m: tensor<?x?xf32>) -> tensor<?x2x?x4xf32> {
  %0 = mha.attention %q, %q, %q attn_mask(%m) scale 5.000000e-01 {is_causal, nan_masked_rows}
    : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x?xf32>) -> tensor<?x2x?x4xf32>
  return %0 : tensor<?x2x?x4xf32>
}

// CHECK-LABEL: @plain
// CHECK: mha.attention %arg0, %arg0, %arg0 scale 1.250000e-01 :
func.func @plain(%q: tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32> {
  %0 = mha.attention %q, %q, %q scale 1.250000e-01
    : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  return %0 : tensor<?x2x?x4xf32>
}
