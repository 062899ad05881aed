// RUN: attune-opt %s -verify-diagnostics -split-input-file

func.func @accumulator_used_twice(%acc: !mha.tile<6x64xf32>, %a: !mha.tile<6x32xf32>, %m: memref<?x64xf32>, %i: index) -> !mha.tile<6x64xf32> {
  %b = mha.load %m[%i, %i] : memref<?x64xf32> -> <32x64xf32>
  // expected-error@+1 {{must be the only use of its accumulator, it is updated in place}}
  %0 = mha.accumulate %acc, %a, %b : <6x64xf32>, <6x32xf32>, <32x64xf32>
  return %acc : !mha.tile<6x64xf32>
}

// -----

func.func @two_depths(%acc: !mha.tile<6x64xf32>, %a: !mha.tile<6x16xf32>, %m: memref<?x64xf32>, %i: index) {
  %b = mha.load %m[%i, %i] : memref<?x64xf32> -> <32x64xf32>
  // expected-error@+1 {{extents do not match: '!mha.tile<6x64xf32>' from '!mha.tile<6x16xf32>' and '!mha.tile<32x64xf32>'}}
  %0 = mha.accumulate %acc, %a, %b : <6x64xf32>, <6x16xf32>, <32x64xf32>
  return
}

// -----

func.func @result_of_other_rows(%acc: !mha.tile<8x64xf32>, %a: !mha.tile<6x32xf32>, %m: memref<?x64xf32>, %i: index) {
  %b = mha.load %m[%i, %i] : memref<?x64xf32> -> <32x64xf32>
  // expected-error@+1 {{extents do not match}}
  %0 = mha.accumulate %acc, %a, %b : <8x64xf32>, <6x32xf32>, <32x64xf32>
  return
}

// -----

func.func @b_that_is_not_loaded(%acc: !mha.tile<6x64xf32>, %a: !mha.tile<6x32xf32>, %b: !mha.tile<32x64xf32>) {
  // expected-error@+1 {{b must come from a mha.load}}
  %0 = mha.accumulate %acc, %a, %b : <6x64xf32>, <6x32xf32>, <32x64xf32>
  return
}

// -----

func.func @few_rows_without_factors(%acc: !mha.tile<6x64xf32>, %a: !mha.tile<6x32xf32>, %m: memref<?x64xf32>, %i: index) {
  %b = mha.load %m[%i, %i] : memref<?x64xf32> -> <32x64xf32>
  // expected-error@+1 {{of few rows needs rescale factors}}
  %0 = mha.accumulate %acc, %a, %b {few_rows} : <6x64xf32>, <6x32xf32>, <32x64xf32>
  return
}
