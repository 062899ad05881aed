// RUN: attune-opt %s -verify-diagnostics -split-input-file

func.func @panels_without_tiles(%to: memref<2x32x64xi32>, %i: index) {
  %0 = mha.zero : <24x64xf32>
  // expected-error@+1 {{takes one index a dimension of a target of at least 4}}
  mha.emit_packed panel %0[%i, %i] into %to[%i, %i, %i] at(%i, %i) count(%i, %i) fill(%i, %i) : <24x64xf32>, memref<2x32x64xi32>
  return
}

// -----

func.func @one_index_for_two_dimensions(%to: memref<32x64xi32>, %i: index) {
  %0 = mha.zero : <24x64xf32>
  // expected-error@+1 {{takes one index a dimension of a target of at least 2}}
  mha.emit_packed rows %0[%i, %i] into %to[%i] at(%i, %i) count(%i, %i) fill(%i, %i) : <24x64xf32>, memref<32x64xi32>
  return
}

// -----

func.func @halves(%to: memref<32x64xbf16>, %i: index) {
  %0 = mha.zero : <24x64xf32>
  // expected-error@+1 {{target must hold f32, or pairs, i32}}
  mha.emit_packed rows %0[%i, %i] into %to[%i, %i] at(%i, %i) count(%i, %i) fill(%i, %i) : <24x64xf32>, memref<32x64xbf16>
  return
}
