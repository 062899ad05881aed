// RUN: attune-opt %s --mha-masks-to-regions | FileCheck %s

// CHECK-NOT: score
// CHECK: keep {
// CHECK-NEXT: ^bb0(%{{.*}}: index, %{{.*}}: index, %[[I:.*]]: index, %[[J:.*]]: index):
// CHECK-NEXT:   %[[SEEN:.*]] = arith.cmpi sle, %[[J]], %[[I]] : index
// CHECK-NEXT:   mha.yield %[[SEEN]] : i1
func.func @forward(%q: tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32> {
  %0 = mha.attention %q, %q, %q scale 5.000000e-01 {is_causal}
    : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  return %0 : tensor<?x2x?x4xf32>
}
