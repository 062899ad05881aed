// RUN: attune-opt %s --mha-outline-parallel -verify-diagnostics

func.func @forward(%n: index, %acc: !mha.tile<6x64xf32>) {
  // expected-error@+1 {{uses a value of type '!mha.tile<6x64xf32>' that cannot cross into a worker}}
  scf.forall (%i) in (%n) {
    func.call @use(%acc) : (!mha.tile<6x64xf32>) -> ()
  }
  return
}
func.func private @use(!mha.tile<6x64xf32>)
