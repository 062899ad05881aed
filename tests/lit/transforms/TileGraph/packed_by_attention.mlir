// RUN: attune-opt %s --mha-tile --split-input-file | FileCheck %s

// In order lne the keys of a batch element lie apart in a tile of rows: attention packs them.
// CHECK-LABEL: func.func @forward
// CHECK-NOT: mha.emit_packed
// CHECK: mha.pack panel
module attributes {mha.schedule = {query_tile = 48, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 6, projection_block_vectors = 4, projection_rows = 48, projection_depth = 64, weight_panel = 64, exp2_degree = 3, grain = 1, heads_per_worker = 8, few_rows = 8, split_keys = 64, pack_value = "per_head"}, mha.cpu = {vector_lanes = 16, vector_registers = 32, pair_products = "tiles"}} {
  func.func @forward(%x: tensor<?x?x64xbf16> {mha.input = "query"}, %w: tensor<3x32x64xi32> {mha.packed}) -> tensor<?x?x64xbf16> {
    %0 = mha.project %x, %w first 0 : (tensor<?x?x64xbf16>, tensor<3x32x64xi32>) -> tensor<?x?x192xbf16>
    %1 = mha.split_heads %0 order lne first 0 : tensor<?x?x192xbf16> -> tensor<?x2x?x32xbf16>
    %2 = mha.split_heads %0 order lne first 64 : tensor<?x?x192xbf16> -> tensor<?x2x?x32xbf16>
    %3 = mha.split_heads %0 order lne first 128 : tensor<?x?x192xbf16> -> tensor<?x2x?x32xbf16>
    %4 = mha.attend %1, %2, %3 scale 0.25 : (tensor<?x2x?x32xbf16>, tensor<?x2x?x32xbf16>, tensor<?x2x?x32xbf16>) -> tensor<?x2x?x32xbf16>
    %5 = mha.merge_heads %4 order lne : tensor<?x2x?x32xbf16> -> tensor<?x?x64xbf16>
    %6 = mha.project %5, %w first 0 : (tensor<?x?x64xbf16>, tensor<3x32x64xi32>) -> tensor<?x?x64xbf16>
    return %6 : tensor<?x?x64xbf16>
  }
}

// -----

// With a key padding mask values of padded keys must become zero.
// CHECK-LABEL: func.func @forward
// CHECK-NOT: mha.emit_packed
// CHECK: mha.pack panel
module attributes {mha.schedule = {query_tile = 48, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 6, projection_block_vectors = 4, projection_rows = 48, projection_depth = 64, weight_panel = 64, exp2_degree = 3, grain = 1, heads_per_worker = 8, few_rows = 8, split_keys = 64, pack_value = "per_head"}, mha.cpu = {vector_lanes = 16, vector_registers = 32, pair_products = "tiles"}} {
  func.func @forward(%x: tensor<?x?x64xbf16> {mha.input = "query"}, %mask: tensor<?x?xi8> {mha.input = "key_padding_mask"}, %w: tensor<3x32x64xi32> {mha.packed}) -> tensor<?x?x64xbf16> {
    %0 = mha.project %x, %w first 0 : (tensor<?x?x64xbf16>, tensor<3x32x64xi32>) -> tensor<?x?x192xbf16>
    %1 = mha.split_heads %0 order nle first 0 : tensor<?x?x192xbf16> -> tensor<?x2x?x32xbf16>
    %2 = mha.split_heads %0 order nle first 64 : tensor<?x?x192xbf16> -> tensor<?x2x?x32xbf16>
    %3 = mha.split_heads %0 order nle first 128 : tensor<?x?x192xbf16> -> tensor<?x2x?x32xbf16>
    %4 = mha.attend %1, %2, %3 scale 0.25 : (tensor<?x2x?x32xbf16>, tensor<?x2x?x32xbf16>, tensor<?x2x?x32xbf16>) -> tensor<?x2x?x32xbf16> keep {
      ^bb0(%b: index, %h: index, %i: index, %j: index):
        %hidden = mha.element %mask[%b, %j] : tensor<?x?xi8> -> i8
        %zero = arith.constant 0 : i8
        %seen = arith.cmpi eq, %hidden, %zero : i8
        mha.yield %seen : i1
      }
    %5 = mha.merge_heads %4 order nle : tensor<?x2x?x32xbf16> -> tensor<?x?x64xbf16>
    %6 = mha.project %5, %w first 0 : (tensor<?x?x64xbf16>, tensor<3x32x64xi32>) -> tensor<?x?x64xbf16>
    return %6 : tensor<?x?x64xbf16>
  }
}

// -----

// Keys of odd depth would share pairs between tiles.
// CHECK-LABEL: func.func @forward
// CHECK-NOT: mha.emit_packed
// CHECK: mha.pack panel
module attributes {mha.schedule = {query_tile = 48, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 6, projection_block_vectors = 4, projection_rows = 48, projection_depth = 64, weight_panel = 64, exp2_degree = 3, grain = 1, heads_per_worker = 8, few_rows = 8, split_keys = 64, pack_value = "per_head"}, mha.cpu = {vector_lanes = 16, vector_registers = 32, pair_products = "tiles"}} {
  func.func @forward(%x: tensor<?x?x64xbf16> {mha.input = "query"}, %w: tensor<3x32x64xi32> {mha.packed}) -> tensor<?x?x64xbf16> {
    %0 = mha.project %x, %w first 0 : (tensor<?x?x64xbf16>, tensor<3x32x64xi32>) -> tensor<?x?x186xbf16>
    %1 = mha.split_heads %0 order nle first 0 : tensor<?x?x186xbf16> -> tensor<?x2x?x31xbf16>
    %2 = mha.split_heads %0 order nle first 62 : tensor<?x?x186xbf16> -> tensor<?x2x?x31xbf16>
    %3 = mha.split_heads %0 order nle first 124 : tensor<?x?x186xbf16> -> tensor<?x2x?x31xbf16>
    %4 = mha.attend %1, %2, %3 scale 0.25 : (tensor<?x2x?x31xbf16>, tensor<?x2x?x31xbf16>, tensor<?x2x?x31xbf16>) -> tensor<?x2x?x31xbf16>
    %5 = mha.merge_heads %4 order nle : tensor<?x2x?x31xbf16> -> tensor<?x?x62xbf16>
    %6 = mha.project %5, %w first 0 : (tensor<?x?x62xbf16>, tensor<3x32x64xi32>) -> tensor<?x?x64xbf16>
    return %6 : tensor<?x?x64xbf16>
  }
}
