// RUN: attune-opt %s --mha-plan-workspace --canonicalize | FileCheck %s

// forward has the same arguments whatever it needs, pack has none of them.
// CHECK: func.func @workspace_size
// CHECK: %[[NONE:.*]] = arith.constant 0 : index
// CHECK: %[[SIZE:.*]] = arith.select %{{.*}}, %[[NONE]], %c-1
// CHECK-NEXT: return %[[SIZE]]
// CHECK: func.func @forward(%arg0: index, %arg1: index, %arg2: index, %arg3: memref<?xi8>, %arg4: index)
// CHECK: func.func @pack()
func.func @forward(%n: index, %l: index, %s: index) {
  return
}
func.func @pack() {
  return
}
