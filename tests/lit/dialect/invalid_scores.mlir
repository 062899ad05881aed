// RUN: attune-opt %s -verify-diagnostics -split-input-file

func.func @two_depths(%q: !mha.tile<6x64xf32>, %k: !mha.tile<32x48xf32, panel>, %s: !mha.stats<6>, %i: index) {
  // expected-error@+1 {{query has depth 64, key has 48}}
  %p, %r, %n = mha.scores %q, %k, %s at(%i, %i, %i, %i) count(%i, %i) scale 1.0 : <6x64xf32>, <32x48xf32, panel> -> <6x32xf32>, <6>, <6>
  return
}

// -----

func.func @logits_of_keys_in_rows(%q: !mha.tile<6x64xf32>, %k: !mha.tile<32x64xf32>, %s: !mha.stats<6>, %t: memref<6x32xf32>, %i: index) {
  // expected-error@+1 {{key must be a panel tile}}
  %n = mha.logits %q, %k, %s at(%i, %i, %i, %i) count(%i, %i) scale 1.0 into %t[%i, %i] : <6x64xf32>, <32x64xf32>, memref<6x32xf32> -> <6>
  return
}

// -----

func.func @p_of_another_extent(%q: !mha.tile<6x64xf32>, %k: !mha.tile<32x64xf32, panel>, %s: !mha.stats<6>, %i: index) {
  // expected-error@+1 {{p must be 6x32}}
  %p, %r, %n = mha.scores %q, %k, %s at(%i, %i, %i, %i) count(%i, %i) scale 1.0 : <6x64xf32>, <32x64xf32, panel> -> <6x64xf32>, <6>, <6>
  return
}

// -----

func.func @statistics_used_twice(%q: !mha.tile<6x64xf32>, %k: !mha.tile<32x64xf32, panel>, %s: !mha.stats<6>, %i: index) -> !mha.stats<6> {
  // expected-error@+1 {{must be the only use of its statistics, they are updated in place}}
  %p, %r, %n = mha.scores %q, %k, %s at(%i, %i, %i, %i) count(%i, %i) scale 1.0 : <6x64xf32>, <32x64xf32, panel> -> <6x32xf32>, <6>, <6>
  return %s : !mha.stats<6>
}

// -----

func.func @statistics_of_other_rows(%q: !mha.tile<6x64xf32>, %k: !mha.tile<32x64xf32, panel>, %i: index) {
  %acc, %s = mha.start : <6x64xf32>, <6>
  // expected-error@+1 {{failed to verify that all of {stats, new_stats} have same type}}
  %p, %r, %n = "mha.scores"(%q, %k, %s, %i, %i, %i, %i, %i, %i) <{scale = 1.0 : f64}> ({}, {})
    : (!mha.tile<6x64xf32>, !mha.tile<32x64xf32, panel>, !mha.stats<6>, index, index, index, index, index, index)
    -> (!mha.tile<6x32xf32>, !mha.rows<6>, !mha.stats<8>)
  return
}

// -----

func.func @element_missing_in_keep(%q: !mha.tile<6x64xf32>, %k: !mha.tile<32x64xf32, panel>, %s: !mha.stats<6>, %m: !mha.tile<6x32xi8>, %true: i1, %i: index) {
  // expected-error@+1 {{keep region takes arguments of types ('index', 'index', 'index', 'index', 'i8'), found ('index', 'index', 'index', 'index')}}
  %p, %r, %n = mha.scores %q, %k, %s at(%i, %i, %i, %i) count(%i, %i) tiles(%m : !mha.tile<6x32xi8>) scale 1.0 : <6x64xf32>, <32x64xf32, panel> -> <6x32xf32>, <6>, <6> keep {
  ^bb0(%b: index, %h: index, %qi: index, %kj: index):
    mha.yield %true : i1
  }
  return
}
