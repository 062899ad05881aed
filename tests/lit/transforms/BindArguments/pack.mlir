// RUN: attune-opt %s --mha-bind-arguments | FileCheck %s

// The parameter is entry 0 of the tensor array: data at 0, sizes from 16, strides from 64. The packed
// tensors begin behind the header of 64 bytes.
// CHECK: llvm.func @pack_entry(%{{.*}}: !llvm.ptr, %[[TENSORS:.*]]: !llvm.ptr, %[[PACKED:.*]]: !llvm.ptr)
// CHECK: %[[DATA_AT:.*]] = llvm.getelementptr %[[TENSORS]][0]
// CHECK: llvm.load %[[DATA_AT]] : !llvm.ptr -> !llvm.ptr
// CHECK: %[[SIZE_AT:.*]] = llvm.getelementptr %[[TENSORS]][16]
// CHECK: %[[SIZE:.*]] = llvm.load %[[SIZE_AT]] : !llvm.ptr -> i64
// CHECK: llvm.insertvalue %[[SIZE]], %{{.*}}[3, 0]
// CHECK: %[[STRIDE_AT:.*]] = llvm.getelementptr %[[TENSORS]][64]
// CHECK: %[[STRIDE:.*]] = llvm.load %[[STRIDE_AT]] : !llvm.ptr -> i64
// CHECK: llvm.insertvalue %[[STRIDE]], %{{.*}}[4, 0]
// CHECK: %[[W:.*]] = builtin.unrealized_conversion_cast {{.*}} to memref<8xf32, strided<[1]>>
// CHECK: %[[BLOCK:.*]] = llvm.getelementptr %[[PACKED]][64]
// CHECK: llvm.insertvalue %[[BLOCK]]
// CHECK: %[[P:.*]] = builtin.unrealized_conversion_cast {{.*}} to memref<16xf32>
// CHECK: call @use(%[[W]], %[[P]])
// CHECK-NOT: func.func @pack
func.func @pack(%context: !llvm.ptr, %w: memref<8xf32, strided<[1]>> {mha.parameter = "w"}, %p: memref<16xf32> {mha.packed}) {
  func.call @use(%w, %p) : (memref<8xf32, strided<[1]>>, memref<16xf32>) -> ()
  return
}
func.func private @use(memref<8xf32, strided<[1]>>, memref<16xf32>)
