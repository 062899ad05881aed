// RUN: attune-opt %s | attune-opt | FileCheck %s

// CHECK-LABEL: @both_regions
// CHECK: mha.attend %arg0, %arg0, %arg0 scale 5.000000e-01 {nan_masked_rows}
// CHECK-SAME: score {
// CHECK-NEXT: ^bb0(%[[S:.*]]: f32, %{{.*}}: index, %{{.*}}: index, %[[I:.*]]: index, %[[J:.*]]: index):
// CHECK-NEXT:   mha.element %arg1[%[[I]], %[[J]]] : tensor<?x?xf32> -> f32
// CHECK:        mha.yield %{{.*}} : f32
// CHECK-NEXT: } keep {
// CHECK:        mha.yield %{{.*}} : i1
func.func @both_regions(%q: tensor<?x2x?x4xf32>, %m: tensor<?x?xf32>) -> tensor<?x2x?x4xf32> {
  %0 = mha.attend %q, %q, %q scale 5.000000e-01 {nan_masked_rows}
    : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32> score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %e = mha.element %m[%i, %j] : tensor<?x?xf32> -> f32
    %r = arith.addf %s, %e : f32
    mha.yield %r : f32
  } keep {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    %c = arith.cmpi sle, %j, %i : index
    mha.yield %c : i1
  }
  return %0 : tensor<?x2x?x4xf32>
}

// CHECK-LABEL: @no_region
// CHECK: mha.attend {{.*}} -> tensor<?x2x?x4xf32>{{$}}
func.func @no_region(%q: tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32> {
  %0 = mha.attend %q, %q, %q scale 5.000000e-01
    : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
  return %0 : tensor<?x2x?x4xf32>
}
