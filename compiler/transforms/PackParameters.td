//===- PackParameters.td -----------------------------------*- tablegen -*-===//
include "mlir/Pass/PassBase.td"

def PackParameters : Pass<"mha-pack-parameters", "::mlir::ModuleOp"> {
  let summary = "Moves the layout change of weights and biases into a function of its own";
  let description = [{
    Every projection reads its weight in panels as wide as the schedule's projection register block. Keys
    and values that are appended become a panel and rows a head, as attention reads them.
    The function `pack` makes them once from the parameters; `forward` takes the packed tensors, marked
    `mha.packed`, in place of the parameters.

    Before:
    ```mlir
    module attributes {mha.schedule = {query_tile = 24, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 3, projection_rows = 128, projection_depth = 512, weight_panel = 48, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 1024, pack_value = "per_head"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
      func.func @forward(%x: tensor<?x?x8xf32> {mha.input = "query"}, %w: tensor<24x8xf32> {mha.parameter = "in_proj_weight"},
                         %b: tensor<24xf32> {mha.parameter = "in_proj_bias"}) -> tensor<?x?x24xf32> {
        %0 = mha.project %x, %w bias %b first 0 : (tensor<?x?x8xf32>, tensor<24x8xf32>, tensor<24xf32>) -> tensor<?x?x24xf32>
        return %0 : tensor<?x?x24xf32>
      }
    }
    ```
    After:
    ```mlir
    module attributes {mha.schedule = {query_tile = 24, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 3, projection_rows = 128, projection_depth = 512, weight_panel = 48, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 1024, pack_value = "per_head"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
      func.func @pack(%w: tensor<24x8xf32> {mha.parameter = "in_proj_weight"}, %b: tensor<24xf32> {mha.parameter = "in_proj_bias"})
          -> (tensor<1x8x48xf32>, tensor<48xf32>) {
        %0 = mha.pack_weight %w first 0 columns 24 : tensor<24x8xf32> -> tensor<1x8x48xf32>
        %1 = mha.pack_bias %b first 0 columns 24 : tensor<24xf32> -> tensor<48xf32>
        return %0, %1 : tensor<1x8x48xf32>, tensor<48xf32>
      }
      func.func @forward(%x: tensor<?x?x8xf32> {mha.input = "query"}, %w: tensor<1x8x48xf32> {mha.packed},
                         %b: tensor<48xf32> {mha.packed}) -> tensor<?x?x24xf32> {
        %0 = mha.project %x, %w bias %b first 0 : (tensor<?x?x8xf32>, tensor<1x8x48xf32>, tensor<48xf32>) -> tensor<?x?x24xf32>
        return %0 : tensor<?x?x24xf32>
      }
    }
    ```
  }];
  let dependentDialects = ["::attune::mha::MhaDialect", "::mlir::func::FuncDialect"];
}
