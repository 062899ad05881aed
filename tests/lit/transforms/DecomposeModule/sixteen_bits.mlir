// RUN: attune-opt %s --mha-decompose-module | FileCheck %s

// Only what crosses the interface has 16 bits.
// CHECK-COUNT-3: mha.project {{.*}} : (tensor<?x8xbf16>, tensor<24x8xbf16>) -> tensor<?x8xf32>
// CHECK: mha.attention {{.*}} -> tensor<1x2x?x4xf32>
// CHECK: mha.project {{.*}} : (tensor<?x8xf32>, tensor<8x8xbf16>) -> tensor<?x8xbf16>
func.func @forward(%x: tensor<?x8xbf16>, %w: tensor<24x8xbf16>, %o: tensor<8x8xbf16>) -> tensor<?x8xbf16> {
  %r = mha.multihead_attention %x, %x, %x in_proj(%w) out_proj(%o) order le {num_heads = 2 : i64}
    : (tensor<?x8xbf16>, tensor<?x8xbf16>, tensor<?x8xbf16>, tensor<24x8xbf16>, tensor<8x8xbf16>) -> tensor<?x8xbf16>
  return %r : tensor<?x8xbf16>
}
