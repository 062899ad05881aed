//===- FuseProjections.td ----------------------------------*- tablegen -*-===//
include "mlir/Pass/PassBase.td"

def FuseProjections : Pass<"mha-fuse-projections", "::mlir::ModuleOp"> {
  let summary = "Makes one wide projection of projections of the same input";
  let description = [{
    Projections of the same input by adjacent rows of the same weight become one projection, so that
    the input is read once and one GEMM keeps all threads busy. Their heads are then views of columns of
    the wide result.

    Before:
    ```mlir
    func.func @forward(%x: tensor<?x?x8xf32>, %w: tensor<24x8xf32>) -> (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) {
      %0 = mha.project %x, %w first 8 : (tensor<?x?x8xf32>, tensor<24x8xf32>) -> tensor<?x?x8xf32>
      %1 = mha.split_heads %0 order nle first 0 : tensor<?x?x8xf32> -> tensor<?x2x?x4xf32>
      %2 = mha.project %x, %w first 16 : (tensor<?x?x8xf32>, tensor<24x8xf32>) -> tensor<?x?x8xf32>
      %3 = mha.split_heads %2 order nle first 0 : tensor<?x?x8xf32> -> tensor<?x2x?x4xf32>
      return %1, %3 : tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>
    }
    ```
    After:
    ```mlir
    func.func @forward(%x: tensor<?x?x8xf32>, %w: tensor<24x8xf32>) -> (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) {
      %0 = mha.project %x, %w first 8 : (tensor<?x?x8xf32>, tensor<24x8xf32>) -> tensor<?x?x16xf32>
      %1 = mha.split_heads %0 order nle first 0 : tensor<?x?x16xf32> -> tensor<?x2x?x4xf32>
      %2 = mha.split_heads %0 order nle first 8 : tensor<?x?x16xf32> -> tensor<?x2x?x4xf32>
      return %1, %2 : tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>
    }
    ```
  }];
  let dependentDialects = ["::attune::mha::MhaDialect"];
}
