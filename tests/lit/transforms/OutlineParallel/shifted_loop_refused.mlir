// RUN: attune-opt %s --mha-outline-parallel -verify-diagnostics

// Only loops from 0 in steps of 1 are outlined; another one must not lose its bounds silently.
func.func @forward(%n: index) {
  // expected-error-re@+1 {{{{.+}}}}
  scf.forall (%i) = (2) to (10) step (3) {
    func.call @use(%i) : (index) -> ()
  }
  return
}
func.func private @use(index)
