// RUN: attune-opt %s -verify-diagnostics

func.func @nel(%x: tensor<?x8x?xf32>) {
  // expected-error@+2 {{which is to be a `::attune::mha::Order`}}
  // expected-error@+1 {{expected ::attune::mha::Order to be one of: nle, lne, le, nhld, hld}}
  %0 = mha.split_heads %x order nel first 0 : tensor<?x8x?xf32> -> tensor<?x2x?x4xf32>
  return
}
