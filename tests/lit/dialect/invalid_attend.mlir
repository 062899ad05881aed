// RUN: attune-opt %s -verify-diagnostics -split-input-file

func.func @rank_three(%q: tensor<2x?x4xf32>) -> tensor<2x?x4xf32> {
  // expected-error@+1 {{query, key and value must have rank 4 (N, H, L or S, D)}}
  %0 = mha.attend %q, %q, %q scale 5.000000e-01 : (tensor<2x?x4xf32>, tensor<2x?x4xf32>, tensor<2x?x4xf32>) -> tensor<2x?x4xf32>
  return %0 : tensor<2x?x4xf32>
}

// -----

func.func @score_without_s(%q: tensor<?x2x?x4xf32>, %z: f32) -> tensor<?x2x?x4xf32> {
  // expected-error@+1 {{score region takes arguments of types ('f32', 'index', 'index', 'index', 'index'), found ('index', 'index', 'index', 'index')}}
  %0 = mha.attend %q, %q, %q scale 5.000000e-01 : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32> score {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    mha.yield %z : f32
  }
  return %0 : tensor<?x2x?x4xf32>
}

// -----

func.func @keep_yields_a_number(%q: tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32> {
  // expected-error@+1 {{keep region must end in mha.yield of 'i1'}}
  %0 = mha.attend %q, %q, %q scale 5.000000e-01 : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32> keep {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    mha.yield %i : index
  }
  return %0 : tensor<?x2x?x4xf32>
}

// -----

func.func @score_yields_a_condition(%q: tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32> {
  // expected-error@+1 {{score region must end in mha.yield of 'f32'}}
  %0 = mha.attend %q, %q, %q scale 5.000000e-01 : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32> score {
  ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
    %c = arith.cmpi sle, %j, %i : index
    mha.yield %c : i1
  }
  return %0 : tensor<?x2x?x4xf32>
}

// -----

func.func @two_blocks(%q: tensor<?x2x?x4xf32>, %true: i1) -> tensor<?x2x?x4xf32> {
  // expected-error@+1 {{keep region must have one block}}
  %0 = mha.attend %q, %q, %q scale 5.000000e-01 : (tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>, tensor<?x2x?x4xf32>) -> tensor<?x2x?x4xf32> keep {
  ^bb0(%b: index, %h: index, %i: index, %j: index):
    cf.br ^bb1
  ^bb1:
    mha.yield %true : i1
  }
  return %0 : tensor<?x2x?x4xf32>
}
