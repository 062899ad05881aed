// RUN: attune-opt %s | attune-opt | FileCheck %s

// Keys may be rows; what a split gave is saved, and all of them are merged.
// CHECK-LABEL: @one_split
// CHECK: mha.scores %{{.*}}, %{{.*}}, %{{.*}} at(%arg3, %arg3, %arg3, %arg3) count(%arg3, %arg3) scale 1.000000e+00 : <2x64xf32>, <32x64xf32> -> <2x32xf32>, <2>, <2>
// CHECK: mha.accumulate {{.*}} {few_rows} : <2x64xf32>, <2x32xf32>, <32x64xf32>
// CHECK: mha.save %{{.*}}, %{{.*}} into %arg1[%arg3, %arg3, %arg3, %arg3], %arg2[%arg3, %arg3, %arg3, %arg3] count %arg3 : <2x64xf32>, <2>, memref<?x?x2x64xf32>, memref<?x?x2x2xf32>
func.func @one_split(%m: memref<?x64xf32>, %partials: memref<?x?x2x64xf32>, %statistics: memref<?x?x2x2xf32>, %i: index) {
  %q = mha.load %m[%i, %i] : memref<?x64xf32> -> <2x64xf32>
  %k = mha.load %m[%i, %i] : memref<?x64xf32> -> <32x64xf32>
  %acc, %stats = mha.start : <2x64xf32>, <2>
  %p, %r, %next = mha.scores %q, %k, %stats at(%i, %i, %i, %i) count(%i, %i) scale 1.0 : <2x64xf32>, <32x64xf32> -> <2x32xf32>, <2>, <2>
  %sum = mha.accumulate %acc rescale %r : !mha.rows<2>, %p, %k {few_rows} : <2x64xf32>, <2x32xf32>, <32x64xf32>
  mha.save %sum, %next into %partials[%i, %i, %i, %i], %statistics[%i, %i, %i, %i] count %i : <2x64xf32>, <2>, memref<?x?x2x64xf32>, memref<?x?x2x2xf32>
  return
}

// CHECK-LABEL: @all_splits
// CHECK: %[[ACC:.*]], %[[STATS:.*]] = mha.merge %arg1[%arg3, %arg3, %arg3, %arg3], %arg2[%arg3, %arg3, %arg3, %arg3] parts %arg3 count %arg3 : memref<?x?x2x64xf32>, memref<?x?x2x2xf32> -> <2x64xf32>, <2>
// CHECK: mha.finish %[[ACC]], %[[STATS]]
func.func @all_splits(%m: memref<?x64xf32>, %partials: memref<?x?x2x64xf32>, %statistics: memref<?x?x2x2xf32>, %i: index) {
  %acc, %stats = mha.merge %partials[%i, %i, %i, %i], %statistics[%i, %i, %i, %i] parts %i count %i : memref<?x?x2x64xf32>, memref<?x?x2x2xf32> -> <2x64xf32>, <2>
  mha.finish %acc, %stats into %m[%i, %i] count %i : <2x64xf32>, <2>, memref<?x64xf32>
  return
}
