//===- MasksToRegions.td -----------------------------------*- tablegen -*-===//
include "mlir/Pass/PassBase.td"

def MasksToRegions : Pass<"mha-masks-to-regions", "::mlir::ModuleOp"> {
  let summary = "Turns masks and is_causal of mha.attention into score and keep regions";
  let description = [{
    A float mask is added in the score region, behind the caller's own score. A bool mask and is_causal
    are conjuncts of the keep region. So is a float key_padding_mask where it is -inf: what a padded key
    holds must not reach a result, and adding -inf to NaN would let it. From here on there is one
    mechanism for all masks.

    Before:
    ```mlir
    func.func @forward(%q: tensor<?x2x?x4xf32>, %k: tensor<?x2x?x4xf32>, %m: tensor<?x?xi8>) -> tensor<?x2x?x4xf32> {
      %0 = mha.attention %q, %k, %k attn_mask(%m) scale 5.000000e-01 {is_causal}
        : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x?xi8>) -> tensor<?x2x?x4xf32>
      return %0 : tensor<?x2x?x4xf32>
    }
    ```
    After:
    ```mlir
    func.func @forward(%q: tensor<?x2x?x4xf32>, %k: tensor<?x2x?x4xf32>, %m: tensor<?x?xi8>) -> tensor<?x2x?x4xf32> {
      %0 = mha.attend %q, %k, %k scale 5.000000e-01
        : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32> keep {
      ^bb0(%b: index, %h: index, %i: index, %j: index):
        %causal = arith.cmpi sle, %j, %i : index
        %e = mha.element %m[%i, %j] : tensor<?x?xi8> -> i8
        %zero = arith.constant 0 : i8
        %visible = arith.cmpi eq, %e, %zero : i8
        %keep = arith.andi %causal, %visible : i1
        mha.yield %keep : i1
      }
      return %0 : tensor<?x2x?x4xf32>
    }
    ```
  }];
  let dependentDialects = ["::attune::mha::MhaDialect", "::mlir::arith::ArithDialect"];
}
