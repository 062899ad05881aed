// RUN: attune-opt %s -verify-diagnostics -split-input-file

func.func @statistics_of_other_rows(%acc: !mha.tile<2x64xf32>, %s: !mha.stats<3>, %p: memref<2x64xf32>, %t: memref<2x2xf32>, %i: index) {
  // expected-error@+1 {{statistics must have 2 rows}}
  mha.save %acc, %s into %p[%i, %i], %t[%i, %i] count %i : <2x64xf32>, <3>, memref<2x64xf32>, memref<2x2xf32>
  return
}

// -----

func.func @partial_of_other_columns(%acc: !mha.tile<2x64xf32>, %s: !mha.stats<2>, %p: memref<2x80xf32>, %t: memref<2x2xf32>, %i: index) {
  // expected-error@+1 {{takes partials of 64 columns and statistics of 2}}
  mha.save %acc, %s into %p[%i, %i], %t[%i, %i] count %i : <2x64xf32>, <2>, memref<2x80xf32>, memref<2x2xf32>
  return
}

// -----

func.func @statistics_of_one_column(%acc: !mha.tile<2x64xf32>, %s: !mha.stats<2>, %p: memref<2x64xf32>, %t: memref<2x1xf32>, %i: index) {
  // expected-error@+1 {{takes partials of 64 columns and statistics of 2}}
  mha.save %acc, %s into %p[%i, %i], %t[%i, %i] count %i : <2x64xf32>, <2>, memref<2x64xf32>, memref<2x1xf32>
  return
}

// -----

func.func @merge_without_a_dimension_of_parts(%p: memref<2x64xf32>, %t: memref<2x2xf32>, %i: index) {
  // expected-error@+1 {{takes one index a dimension of memrefs of at least 3}}
  %acc, %s = mha.merge %p[%i, %i], %t[%i, %i] parts %i count %i : memref<2x64xf32>, memref<2x2xf32> -> <2x64xf32>, <2>
  return
}
