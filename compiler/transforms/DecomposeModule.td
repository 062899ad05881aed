//===- DecomposeModule.td ----------------------------------*- tablegen -*-===//
include "mlir/Pass/PassBase.td"

def DecomposeModule : Pass<"mha-decompose-module", "::mlir::ModuleOp"> {
  let summary = "Expands mha.multihead_attention into projections and attention";
  let description = [{
    Query, key and value are projected with their rows of in_proj_weight, or each with a weight of its
    own, viewed as heads, attended with scale 1/sqrt(head_dim), merged and projected out: the order of
    PyTorch's module. bias_k and bias_v, which are not projected, become keys and values appended to every
    head, the zeros of add_zero_attn behind them. Nothing is folded into the weights.

    Before:
    ```mlir
    func.func @forward(%x: tensor<?x?x8xf32>, %w: tensor<24x8xf32> {mha.parameter = "in_proj_weight"},
                       %o: tensor<8x8xf32> {mha.parameter = "out_proj.weight"}) -> tensor<?x?x8xf32> {
      %r = mha.multihead_attention %x, %x, %x in_proj(%w) out_proj(%o) order nle {num_heads = 2 : i64}
        : (tensor<?x?x8xf32>, tensor<?x?x8xf32>, tensor<?x?x8xf32>, tensor<24x8xf32>, tensor<8x8xf32>)
        -> tensor<?x?x8xf32>
      return %r : tensor<?x?x8xf32>
    }
    ```
    After:
    ```mlir
    func.func @forward(%x: tensor<?x?x8xf32>, %w: tensor<24x8xf32> {mha.parameter = "in_proj_weight"},
                       %o: tensor<8x8xf32> {mha.parameter = "out_proj.weight"}) -> tensor<?x?x8xf32> {
      %0 = mha.project %x, %w first 0 : (tensor<?x?x8xf32>, tensor<24x8xf32>) -> tensor<?x?x8xf32>
      %1 = mha.split_heads %0 order nle first 0 : tensor<?x?x8xf32> -> tensor<?x2x?x4xf32>
      %2 = mha.project %x, %w first 8 : (tensor<?x?x8xf32>, tensor<24x8xf32>) -> tensor<?x?x8xf32>
      %3 = mha.split_heads %2 order nle first 0 : tensor<?x?x8xf32> -> tensor<?x2x?x4xf32>
      %4 = mha.project %x, %w first 16 : (tensor<?x?x8xf32>, tensor<24x8xf32>) -> tensor<?x?x8xf32>
      %5 = mha.split_heads %4 order nle first 0 : tensor<?x?x8xf32> -> tensor<?x2x?x4xf32>
      %6 = mha.attention %1, %3, %5 scale 5.000000e-01 : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32>
      %7 = mha.merge_heads %6 order nle : tensor<?x2x?x4xf32> -> tensor<?x?x8xf32>
      %8 = mha.project %7, %o first 0 : (tensor<?x?x8xf32>, tensor<8x8xf32>) -> tensor<?x?x8xf32>
      return %8 : tensor<?x?x8xf32>
    }
    ```
  }];
  let dependentDialects = ["::attune::mha::MhaDialect"];
}
