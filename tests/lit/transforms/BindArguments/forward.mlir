// RUN: attune-opt %s --mha-bind-arguments | FileCheck %s

// The second tensor is the second entry of the array, 112 bytes on; N, L and S come from
// attune_call_sizes, in the order of ATTUNE_SIZE_*; the number of workers is the last argument.
// CHECK: llvm.func @forward_entry(%[[CONTEXT:.*]]: !llvm.ptr, %[[TENSORS:.*]]: !llvm.ptr, %[[PACKED:.*]]: !llvm.ptr, %[[WORKSPACE:.*]]: !llvm.ptr, %[[SIZES:.*]]: !llvm.ptr, %[[WORKERS:.*]]: i64)
// CHECK: llvm.getelementptr %[[TENSORS]][0]
// CHECK: %[[X:.*]] = builtin.unrealized_conversion_cast {{.*}} to memref<?x8xf32, strided<[?, 1]>>
// CHECK: llvm.getelementptr %[[PACKED]][64]
// CHECK: llvm.getelementptr %[[TENSORS]][112]
// CHECK: %[[OUT:.*]] = builtin.unrealized_conversion_cast {{.*}} to memref<?x8xf32, strided<[?, 1]>>
// CHECK: %[[N_AT:.*]] = llvm.getelementptr %[[SIZES]][8]
// CHECK: %[[N_VALUE:.*]] = llvm.load %[[N_AT]] : !llvm.ptr -> i64
// CHECK: %[[N:.*]] = builtin.unrealized_conversion_cast %[[N_VALUE]] : i64 to index
// CHECK: llvm.getelementptr %[[SIZES]][16]
// CHECK: %[[L:.*]] = builtin.unrealized_conversion_cast
// CHECK: llvm.getelementptr %[[SIZES]][24]
// CHECK: %[[S:.*]] = builtin.unrealized_conversion_cast
// CHECK: llvm.insertvalue %[[WORKSPACE]], %{{.*}}[0]
// CHECK: %[[BYTES:.*]] = builtin.unrealized_conversion_cast {{.*}} to memref<?xi8>
// CHECK: %[[COUNT:.*]] = builtin.unrealized_conversion_cast %[[WORKERS]] : i64 to index
// CHECK: call @use(%[[CONTEXT]], %[[X]], %[[OUT]], %[[N]], %[[L]], %[[S]], %[[BYTES]], %[[COUNT]])
func.func @forward(%context: !llvm.ptr, %x: memref<?x8xf32, strided<[?, 1]>> {mha.input = "query"}, %p: memref<16xf32> {mha.packed},
                   %out: memref<?x8xf32, strided<[?, 1]>> {mha.output = "out"}, %n: index, %l: index, %s: index,
                   %workspace: memref<?xi8>, %workers: index) {
  func.call @use(%context, %x, %out, %n, %l, %s, %workspace, %workers)
    : (!llvm.ptr, memref<?x8xf32, strided<[?, 1]>>, memref<?x8xf32, strided<[?, 1]>>, index, index, index, memref<?xi8>, index) -> ()
  return
}
func.func private @use(!llvm.ptr, memref<?x8xf32, strided<[?, 1]>>, memref<?x8xf32, strided<[?, 1]>>, index, index, index, memref<?xi8>, index)
