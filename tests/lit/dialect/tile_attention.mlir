// RUN: attune-opt %s | attune-opt | FileCheck %s

// CHECK-LABEL: @one_step
// CHECK: %[[ACC:.*]], %[[STATS:.*]] = mha.start : <6x64xf32>, <6>
// CHECK: mha.scores %{{.*}}, %{{.*}}, %[[STATS]] at(%arg4, %arg4, %arg4, %arg4) count(%arg4, %arg4)
// CHECK-SAME: tiles(%{{.*}}, %{{.*}} : !mha.tile<6x32xi8>, !mha.tile<6x32xf32>) scale 1.250000e-01
// CHECK-SAME: score {
// CHECK: } keep {
// CHECK: mha.accumulate %[[ACC]] rescale %{{.*}} : !mha.rows<6>, %{{.*}}, %{{.*}} : <6x64xf32>, <6x32xf32>, <32x64xf32>
// CHECK: mha.finish %{{.*}}, %{{.*}} into %arg0[%arg4, %arg4] count %arg4 {nan_masked_rows} : <6x64xf32>, <6>, memref<?x64xf32>
func.func @one_step(%m: memref<?x64xf32>, %k: memref<?x64x32xf32>, %mask: memref<?x?xi8>, %bias: memref<?x?xf32>, %i: index) {
  %worker = mha.worker
  %q = mha.load %m[%i, %i] : memref<?x64xf32> -> <6x64xf32>
  %key = mha.load %k[%i, %i, %i] : memref<?x64x32xf32> -> <32x64xf32, panel>
  %seen = mha.load %mask[%i, %i] : memref<?x?xi8> -> <6x32xi8>
  %added = mha.load %bias[%i, %i] : memref<?x?xf32> -> <6x32xf32>
  %acc, %stats = mha.start : <6x64xf32>, <6>
  %p, %rescale, %next = mha.scores %q, %key, %stats at(%i, %i, %i, %i) count(%i, %i)
    tiles(%seen, %added : !mha.tile<6x32xi8>, !mha.tile<6x32xf32>) scale 1.250000e-01
    : <6x64xf32>, <32x64xf32, panel> -> <6x32xf32>, <6>, <6> score {
  ^bb0(%s: f32, %b: index, %h: index, %qi: index, %kj: index, %u: i8, %x: f32):
    %r = arith.addf %s, %x : f32
    mha.yield %r : f32
  } keep {
  ^bb0(%b: index, %h: index, %qi: index, %kj: index, %u: i8, %x: f32):
    %z = arith.constant 0 : i8
    %r = arith.cmpi eq, %u, %z : i8
    mha.yield %r : i1
  }
  %v = mha.load %m[%i, %i] : memref<?x64xf32> -> <32x64xf32>
  %sum = mha.accumulate %acc rescale %rescale : !mha.rows<6>, %p, %v : <6x64xf32>, <6x32xf32>, <32x64xf32>
  mha.finish %sum, %next into %m[%i, %i] count %i {nan_masked_rows} : <6x64xf32>, <6>, memref<?x64xf32>
  return
}
