// RUN: attune-opt %s --mha-masks-to-regions | FileCheck %s

// Both apply: the float mask in score, is_causal in keep.
// CHECK: score {
// CHECK:   arith.addf
// CHECK: } keep {
// CHECK-NOT: mha.element
// CHECK:   arith.cmpi sle
// CHECK-NOT: arith.andi
// CHECK:   mha.yield %{{.*}} : i1
func.func @forward(%q: tensor<?x2x?x4xf32>, %m: tensor<?x?xf32>) -> tensor<?x2x?x4xf32> {
  %0 = mha.attention %q, %q, %q attn_mask(%m) scale 5.000000e-01 {is_causal}
    : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x?xf32>) -> tensor<?x2x?x4xf32>
  return %0 : tensor<?x2x?x4xf32>
}
