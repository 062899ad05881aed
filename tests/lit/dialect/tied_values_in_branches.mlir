// RUN: attune-opt %s -verify-diagnostics -split-input-file

// Of two uses in the branches of one scf.if at most one runs: the accumulator stays tied.
func.func @one_of_two(%m: memref<?x64xf32>, %c: i1, %i: index) {
  %a = mha.load %m[%i, %i] : memref<?x64xf32> -> <6x32xf32>
  %v = mha.load %m[%i, %i] : memref<?x64xf32> -> <32x64xf32>
  %acc = mha.zero : <6x64xf32>
  %sum = scf.if %c -> !mha.tile<6x64xf32> {
    %s = mha.accumulate %acc, %a, %v : <6x64xf32>, <6x32xf32>, <32x64xf32>
    scf.yield %s : !mha.tile<6x64xf32>
  } else {
    scf.yield %acc : !mha.tile<6x64xf32>
  }
  mha.emit %sum into %m[%i, %i] count(%i, %i) : <6x64xf32>, memref<?x64xf32>
  return
}

// -----

func.func @one_after_the_other(%m: memref<?x64xf32>, %c: i1, %i: index) {
  %a = mha.load %m[%i, %i] : memref<?x64xf32> -> <6x32xf32>
  %v = mha.load %m[%i, %i] : memref<?x64xf32> -> <32x64xf32>
  %acc = mha.zero : <6x64xf32>
  scf.if %c {
    // expected-error@+1 {{must be the only use of its accumulator, it is updated in place}}
    %s = mha.accumulate %acc, %a, %v : <6x64xf32>, <6x32xf32>, <32x64xf32>
    mha.emit %s into %m[%i, %i] count(%i, %i) : <6x64xf32>, memref<?x64xf32>
  }
  mha.emit %acc into %m[%i, %i] count(%i, %i) : <6x64xf32>, memref<?x64xf32>
  return
}
