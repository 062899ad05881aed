// RUN: attune-opt %s | attune-opt | FileCheck %s

// CHECK-LABEL: @whole_rows
// CHECK: %[[MAXIMA:.*]] = mha.logits %{{.*}}, %{{.*}}, %{{.*}} at(%arg4, %arg4, %arg4, %arg4) count(%arg4, %arg4) scale 1.250000e-01
// CHECK-SAME: into %arg2[%arg4, %arg4] : <6x64xf32>, <32x64xf32, panel>, memref<6x?xf32> -> <6> keep {
// CHECK: %[[SUMS:.*]] = mha.softmax %arg2[%arg4, %arg4], %[[MAXIMA]] count(%arg4, %arg4) : memref<6x?xf32>, <6>
// CHECK: mha.softmax %arg2[%arg4, %arg4], %[[MAXIMA]] count(%arg4, %arg4) scale 1.250000e-01 rounded %arg5[%arg4, %arg4] : memref<6x?xbf16> : memref<6x?xf32>, <6>
// CHECK: mha.accumulate %{{.*}}, %{{.*}}, %{{.*}} {projection} : <6x64xf32>, <6x32xf32>, <32x64xf32>
// CHECK: mha.emit_weights %arg2[%arg4, %arg4], %[[SUMS]] visited %arg4 into %arg3[%arg4, %arg4, %arg4] count(%arg4, %arg4) factor 5.000000e-01 {add, nan_masked_rows} : memref<6x?xf32>, <6>, memref<?x?x?xf32>
func.func @whole_rows(%m: memref<?x64xf32>, %k: memref<?x64x32xf32>, %rows: memref<6x?xf32>, %w: memref<?x?x?xf32>, %i: index, %rounded: memref<6x?xbf16>) {
  %q = mha.load %m[%i, %i] : memref<?x64xf32> -> <6x64xf32>
  %key = mha.load %k[%i, %i, %i] : memref<?x64x32xf32> -> <32x64xf32, panel>
  %acc, %stats = mha.start : <6x64xf32>, <6>
  %maxima = mha.logits %q, %key, %stats at(%i, %i, %i, %i) count(%i, %i) scale 1.250000e-01
    into %rows[%i, %i] : <6x64xf32>, <32x64xf32, panel>, memref<6x?xf32> -> <6> keep {
  ^bb0(%b: index, %h: index, %qi: index, %kj: index):
    %c = arith.cmpi slt, %kj, %i : index
    mha.yield %c : i1
  }
  %sums = mha.softmax %rows[%i, %i], %maxima count(%i, %i) : memref<6x?xf32>, <6>
  %copied = mha.softmax %rows[%i, %i], %maxima count(%i, %i) scale 1.250000e-01 rounded %rounded[%i, %i] : memref<6x?xbf16> : memref<6x?xf32>, <6>
  %p = mha.load %rows[%i, %i] : memref<6x?xf32> -> <6x32xf32>
  %v = mha.load %m[%i, %i] : memref<?x64xf32> -> <32x64xf32>
  %sum = mha.accumulate %acc, %p, %v {projection} : <6x64xf32>, <6x32xf32>, <32x64xf32>
  mha.emit_weights %rows[%i, %i], %sums visited %i into %w[%i, %i, %i] count(%i, %i) factor 5.000000e-01 {add, nan_masked_rows} : memref<6x?xf32>, <6>, memref<?x?x?xf32>
  return
}
