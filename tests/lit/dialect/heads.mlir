// RUN: attune-opt %s | attune-opt | FileCheck %s

// CHECK-LABEL: @every_order
// CHECK: mha.split_heads %arg0 order nle first 8 : tensor<?x?x24xf32> -> tensor<?x2x?x4xf32>
// CHECK: mha.split_heads %arg0 order lne first 0
// CHECK: mha.split_heads %arg1 order le first 0 : tensor<?x24xf32> -> tensor<1x2x?x4xf32>
// CHECK: mha.split_heads %arg2 order nhld first 0 : tensor<?x2x?x4xf32> -> tensor<?x2x?x4xf32>
// CHECK: mha.split_heads %arg3 order hld first 0 : tensor<2x?x4xf32> -> tensor<1x2x?x4xf32>
func.func @every_order(%a: tensor<?x?x24xf32>, %b: tensor<?x24xf32>, %c: tensor<?x2x?x4xf32>, %d: tensor<2x?x4xf32>) {
  %0 = mha.split_heads %a order nle first 8 : tensor<?x?x24xf32> -> tensor<?x2x?x4xf32>
  %1 = mha.split_heads %a order lne first 0 : tensor<?x?x24xf32> -> tensor<?x2x?x4xf32>
  %2 = mha.split_heads %b order le first 0 : tensor<?x24xf32> -> tensor<1x2x?x4xf32>
  %3 = mha.split_heads %c order nhld first 0 : tensor<?x2x?x4xf32> -> tensor<?x2x?x4xf32>
  %4 = mha.split_heads %d order hld first 0 : tensor<2x?x4xf32> -> tensor<1x2x?x4xf32>
  return
}

// CHECK-LABEL: @merge
// CHECK: mha.merge_heads %arg0 order nle : tensor<?x2x?x4xf32> -> tensor<?x?x8xf32>
func.func @merge(%x: tensor<?x2x?x4xf32>) -> tensor<?x?x8xf32> {
  %r = mha.merge_heads %x order nle : tensor<?x2x?x4xf32> -> tensor<?x?x8xf32>
  return %r : tensor<?x?x8xf32>
}
