// RUN: attune-opt %s --mha-bind-arguments | FileCheck %s

// A mask of bytes is a tensor; only the last memref but one of forward is the workspace.
// CHECK: llvm.func @forward_entry(%arg0: !llvm.ptr, %[[TENSORS:.*]]: !llvm.ptr, %arg2: !llvm.ptr, %[[WORKSPACE:[^:]*]]: !llvm.ptr,
// CHECK: %[[AT:.*]] = llvm.getelementptr %[[TENSORS]][0]
// CHECK: %[[DATA:.*]] = llvm.load %[[AT]] : !llvm.ptr -> !llvm.ptr
// CHECK: llvm.insertvalue %[[DATA]], %{{.*}}[0]
// CHECK: to memref<?x?xi8, strided<[?, 1]>>
// CHECK: llvm.insertvalue %[[WORKSPACE]], %{{.*}}[0]
// CHECK: to memref<?xi8>
func.func @forward(%context: !llvm.ptr, %m: memref<?x?xi8, strided<[?, 1]>> {mha.input = "attn_mask"},
                   %n: index, %l: index, %s: index, %workspace: memref<?xi8>, %workers: index) {
  return
}
