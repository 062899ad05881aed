// RUN: attune-opt %s --mha-pack-parameters | FileCheck %s

// Attention alone has no parameters: nothing is packed and no schedule is needed.
// CHECK-NOT: @pack
// CHECK: func.func @forward(%arg0: tensor<?x2x?x4xf32>)
func.func @forward(%q: tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32> {
  return %q : tensor<?x2x?x4xf32>
}
