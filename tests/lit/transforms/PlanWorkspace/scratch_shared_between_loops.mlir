// RUN: attune-opt %s --mha-plan-workspace --canonicalize | FileCheck %s

// Loops run one after the other: both use a worker's slice from its start, which is as large as the
// larger loop needs (64 + 128 bytes). The temporary follows behind the slices of all workers.
// CHECK-DAG: #[[SLICE:.*]] = affine_map<()[s0] -> (s0 * 192)>
// CHECK-DAG: #[[SECOND:.*]] = affine_map<()[s0] -> (s0 * 192 + 64)>
// CHECK: func.func @forward({{.*}}, %[[WORKSPACE:.*]]: memref<?xi8>, %[[WORKERS:.*]]: index)
// CHECK: %[[BEHIND:.*]] = affine.apply #[[SLICE]]()[%[[WORKERS]]]
// CHECK: memref.view %[[WORKSPACE]][%[[BEHIND]]][] : memref<?xi8> to memref<8xf32>
// CHECK: scf.forall
// CHECK:   %[[WORKER:.*]] = mha.worker
// CHECK:   %[[AT:.*]] = affine.apply #[[SLICE]]()[%[[WORKER]]]
// CHECK:   memref.view %[[WORKSPACE]][%[[AT]]][] : memref<?xi8> to memref<6xf32>
// CHECK: scf.forall
// CHECK:   affine.apply #[[SLICE]]
// CHECK:   memref.view {{.*}} to memref<6xf32>
// CHECK:   affine.apply #[[SECOND]]
// CHECK:   memref.view {{.*}} to memref<32xf32>
func.func @forward(%n: index, %l: index, %s: index) {
  %t = memref.alloc() {alignment = 64 : i64} : memref<8xf32>
  func.call @temporary(%t) : (memref<8xf32>) -> ()
  scf.forall (%i) in (%l) {
    %a = memref.alloc() {alignment = 64 : i64} : memref<6xf32>
    func.call @small(%a) : (memref<6xf32>) -> ()
  }
  scf.forall (%i) in (%s) {
    %a = memref.alloc() {alignment = 64 : i64} : memref<6xf32>
    %b = memref.alloc() {alignment = 64 : i64} : memref<32xf32>
    func.call @small(%a) : (memref<6xf32>) -> ()
    func.call @large(%b) : (memref<32xf32>) -> ()
  }
  return
}
func.func private @temporary(memref<8xf32>)
func.func private @small(memref<6xf32>)
func.func private @large(memref<32xf32>)
