// RUN: attune-opt %s | attune-opt | FileCheck %s

// CHECK-LABEL: @packs
// CHECK: mha.pack panel %arg0[%arg2, %arg2] count %arg2 into %arg1[%arg2, %arg2, %arg2] : memref<?x64xf32>, memref<?x64x16xf32>
// CHECK: mha.pack rows %arg0[%arg2, %arg2] count %arg2 into %arg0[%arg2, %arg2] : memref<?x64xf32>, memref<?x64xf32>
func.func @packs(%from: memref<?x64xf32>, %to: memref<?x64x16xf32>, %i: index) {
  mha.pack panel %from[%i, %i] count %i into %to[%i, %i, %i] : memref<?x64xf32>, memref<?x64x16xf32>
  mha.pack rows %from[%i, %i] count %i into %from[%i, %i] : memref<?x64xf32>, memref<?x64xf32>
  return
}

// CHECK-LABEL: @loads
// CHECK: mha.load %arg0[%arg2, %arg2] : memref<?x64xf32> -> <24x64xf32>
// CHECK: mha.load %arg0[%arg2, %arg2] count %arg2 : memref<?x64xf32> -> <24x64xf32>
// CHECK: mha.load %arg0[%arg2, %arg2] count %arg2 columns %arg2 : memref<?x64xf32> -> <24x64xf32>
// CHECK: mha.load %arg1[%arg2, %arg2, %arg2] count %arg2 : memref<?x64x16xf32> -> <64x64xf32, panel>
func.func @loads(%rows: memref<?x64xf32>, %panels: memref<?x64x16xf32>, %i: index) {
  %0 = mha.load %rows[%i, %i] : memref<?x64xf32> -> <24x64xf32>
  %1 = mha.load %rows[%i, %i] count %i : memref<?x64xf32> -> <24x64xf32>
  %2 = mha.load %rows[%i, %i] count %i columns %i : memref<?x64xf32> -> <24x64xf32>
  %3 = mha.load %panels[%i, %i, %i] count %i : memref<?x64x16xf32> -> <64x64xf32, panel>
  return
}

// CHECK-LABEL: @emits
// CHECK: mha.emit %{{.*}} into %arg0[%arg2, %arg2] count(%arg2, %arg2) : <24x64xf32>, memref<?x64xf32>
// CHECK: mha.emit %{{.*}} bias %arg1 : memref<64xf32> into %arg0[%arg2, %arg2] count(%arg2, %arg2)
func.func @emits(%to: memref<?x64xf32>, %bias: memref<64xf32>, %i: index) {
  %0 = mha.zero : <24x64xf32>
  mha.emit %0 into %to[%i, %i] count(%i, %i) : <24x64xf32>, memref<?x64xf32>
  mha.emit %0 bias %bias : memref<64xf32> into %to[%i, %i] count(%i, %i) : <24x64xf32>, memref<?x64xf32>
  return
}

// CHECK-LABEL: @emits_packed
// CHECK: mha.emit_packed panel %{{.*}}[%arg4, %arg4] into %arg0[%arg4, %arg4, %arg4, %arg4] at(%arg4, %arg4) count(%arg4, %arg4) fill(%arg4, %arg4) : <24x64xf32>, memref<?x2x32x64xi32>
// CHECK: mha.emit_packed rows %{{.*}}[%arg4, %arg4] bias %arg3 : memref<64xf32> into %arg1[%arg4, %arg4] at(%arg4, %arg4) count(%arg4, %arg4) fill(%arg4, %arg4) : <24x64xf32>, memref<?x64xi32>
// CHECK: mha.emit_packed rows %{{.*}}[%arg4, %arg4] into %arg2[%arg4, %arg4] at(%arg4, %arg4) count(%arg4, %arg4) fill(%arg4, %arg4) : <24x64xf32>, memref<?x64xf32>
func.func @emits_packed(%panels: memref<?x2x32x64xi32>, %rows: memref<?x64xi32>, %floats: memref<?x64xf32>, %bias: memref<64xf32>, %i: index) {
  %0 = mha.zero : <24x64xf32>
  mha.emit_packed panel %0[%i, %i] into %panels[%i, %i, %i, %i] at(%i, %i) count(%i, %i) fill(%i, %i) : <24x64xf32>, memref<?x2x32x64xi32>
  mha.emit_packed rows %0[%i, %i] bias %bias : memref<64xf32> into %rows[%i, %i] at(%i, %i) count(%i, %i) fill(%i, %i) : <24x64xf32>, memref<?x64xi32>
  mha.emit_packed rows %0[%i, %i] into %floats[%i, %i] at(%i, %i) count(%i, %i) fill(%i, %i) : <24x64xf32>, memref<?x64xf32>
  return
}
