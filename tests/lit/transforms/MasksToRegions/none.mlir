// RUN: attune-opt %s --mha-masks-to-regions | FileCheck %s

// No mask, no region.
// CHECK: mha.attend %arg0, %arg0, %arg0 scale 5.000000e-01 {nan_masked_rows} {{.*}} -> tensor<?x2x?x4xf32>{{$}}
func.func @forward(%q: tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32> {
  %0 = mha.attention %q, %q, %q scale 5.000000e-01 {nan_masked_rows}
    : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  return %0 : tensor<?x2x?x4xf32>
}
