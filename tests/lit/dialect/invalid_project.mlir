// RUN: attune-opt %s -verify-diagnostics -split-input-file

func.func @weight_of_rank_one(%x: tensor<?x8xf32>, %w: tensor<24xf32>) -> tensor<?x8xf32> {
  // expected-error@+1 {{weight must have rank 2, or 3 when packed, found 1}}
  %r = mha.project %x, %w first 0 : (tensor<?x8xf32>, tensor<24xf32>) -> tensor<?x8xf32>
  return %r : tensor<?x8xf32>
}

// -----

func.func @other_depth(%x: tensor<?x8xf32>, %w: tensor<24x16xf32>) -> tensor<?x8xf32> {
  // expected-error@+1 {{weight has depth 16, x has 8}}
  %r = mha.project %x, %w first 0 : (tensor<?x8xf32>, tensor<24x16xf32>) -> tensor<?x8xf32>
  return %r : tensor<?x8xf32>
}

// -----

func.func @rows_beyond_the_weight(%x: tensor<?x8xf32>, %w: tensor<24x8xf32>) -> tensor<?x16xf32> {
  // expected-error@+1 {{rows [16, 32) lie outside the weight's 24}}
  %r = mha.project %x, %w first 16 : (tensor<?x8xf32>, tensor<24x8xf32>) -> tensor<?x16xf32>
  return %r : tensor<?x16xf32>
}

// -----

func.func @columns_beyond_the_panels(%x: tensor<?x8xf32>, %w: tensor<2x8x16xf32>) -> tensor<?x40xf32> {
  // expected-error@+1 {{rows [0, 40) lie outside the weight's 32}}
  %r = mha.project %x, %w first 0 : (tensor<?x8xf32>, tensor<2x8x16xf32>) -> tensor<?x40xf32>
  return %r : tensor<?x40xf32>
}
