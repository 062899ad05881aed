// RUN: attune-opt %s --mha-assign-kernels -verify-diagnostics

// expected-error@+1 {{mha.target: unknown target 'x86-64-v5'; nearest: x86-64-v2, x86-64-v3, x86-64-v4}}
module attributes {mha.target = "x86-64-v5", mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 1, projection_rows = 16, projection_depth = 32, weight_panel = 16, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 1024, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
}
