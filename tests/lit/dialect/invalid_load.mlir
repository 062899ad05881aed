// RUN: attune-opt %s -verify-diagnostics -split-input-file

func.func @one_index_for_two_dimensions(%m: memref<?x64xf32>, %i: index) {
  // expected-error@+1 {{takes one index a dimension: 2 expected, 1 found}}
  %0 = mha.load %m[%i] : memref<?x64xf32> -> <6x64xf32>
  return
}

// -----

func.func @rows_of_a_vector(%m: memref<?xf32>, %i: index) {
  // expected-error@+1 {{source has too few dimensions for '!mha.tile<6x64xf32>'}}
  %0 = mha.load %m[%i] : memref<?xf32> -> <6x64xf32>
  return
}

// -----

func.func @panels_of_a_matrix(%m: memref<?x64xf32>, %i: index) {
  // expected-error@+1 {{source has too few dimensions for '!mha.tile<6x64xf32, panel>'}}
  %0 = mha.load %m[%i, %i] : memref<?x64xf32> -> <6x64xf32, panel>
  return
}
