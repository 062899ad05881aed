// RUN: attune-opt %s --mha-tile | FileCheck %s

// Nine rows are known not to be few.
// CHECK: mha.pack panel
// CHECK-NOT: mha.save
// CHECK-NOT: mha.merge
module attributes {mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 2, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 8, split_keys = 128, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
  func.func @forward(%q: tensor<?x2x9x64xf32> {mha.input = "query"}, %k: tensor<?x2x?x64xf32> {mha.input = "key"}) -> tensor<?x2x9x64xf32> {
    %0 = mha.split_heads %q order nhld first 0 : tensor<?x2x9x64xf32> -> tensor<?x2x9x64xf32>
    %1 = mha.split_heads %k order nhld first 0 : tensor<?x2x?x64xf32> -> tensor<?x2x?x64xf32>
    %2 = mha.attend %0, %1, %1 scale 0.125 : (tensor<?x2x9x64xf32>, tensor<?x2x?x64xf32>, tensor<?x2x?x64xf32>) -> tensor<?x2x9x64xf32>
    %3 = mha.merge_heads %2 order nhld : tensor<?x2x9x64xf32> -> tensor<?x2x9x64xf32>
    return %3 : tensor<?x2x9x64xf32>
  }
}
