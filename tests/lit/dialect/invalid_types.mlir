// RUN: attune-opt %s -verify-diagnostics -split-input-file

// expected-error@+1 {{a tile has two dimensions, found 3}}
func.func private @three_dimensions(!mha.tile<2x24x64xf32>)

// -----

// expected-error@+1 {{a tile has two dimensions, found 1}}
func.func private @one_dimension(!mha.tile<24xf32>)

// -----

// expected-error@+1 {{expected static shape}}
func.func private @dynamic_extent(!mha.tile<?x64xf32>)

// -----

// expected-error@+1 {{expected 'panel'}}
func.func private @unknown_layout(!mha.tile<24x64xf32, rows>)
