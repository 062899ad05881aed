// RUN: attune-opt %s | attune-opt | FileCheck %s

// CHECK-LABEL: @padding
// CHECK: mha.pack rows %arg0[%arg3, %arg3] count %arg3 into %arg0[%arg3, %arg3] padding %arg1[%arg3, %arg3] : memref<?x?xi8> : memref<?x64xf32>, memref<?x64xf32>
// CHECK: mha.key_range %arg1[%arg3, %arg3] count %arg3 into %arg2[%arg3, %arg3] : memref<?x?xi8>, memref<?x2xi32>
func.func @padding(%rows: memref<?x64xf32>, %padding: memref<?x?xi8>, %ranges: memref<?x2xi32>, %i: index) {
  mha.pack rows %rows[%i, %i] count %i into %rows[%i, %i] padding %padding[%i, %i] : memref<?x?xi8> : memref<?x64xf32>, memref<?x64xf32>
  mha.key_range %padding[%i, %i] count %i into %ranges[%i, %i] : memref<?x?xi8>, memref<?x2xi32>
  return
}

// CHECK-LABEL: @classes
// CHECK: %[[SOME:.*]], %[[ALL:.*]] = mha.classify %{{.*}} : <6x32xi8>
func.func @classes(%mask: memref<?x?xi8>, %i: index) -> (i1, i1) {
  %tile = mha.load %mask[%i, %i] count %i columns %i : memref<?x?xi8> -> <6x32xi8>
  %some, %all = mha.classify %tile : <6x32xi8>
  return %some, %all : i1, i1
}

// CHECK-LABEL: @zeros
// CHECK: mha.clear %arg0 : memref<2x64xf32>
func.func @zeros(%to: memref<2x64xf32>) {
  mha.clear %to : memref<2x64xf32>
  return
}
