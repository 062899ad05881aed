// RUN: attune-opt %s --cse | FileCheck %s

// An accumulator is memory of its own: equal ones are not merged.
// CHECK-COUNT-2: mha.zero
// CHECK-COUNT-2: mha.start
func.func @pair() -> (!mha.tile<6x64xf32>, !mha.tile<6x64xf32>, !mha.stats<6>, !mha.stats<6>) {
  %0 = mha.zero : <6x64xf32>
  %1 = mha.zero : <6x64xf32>
  %2, %3 = mha.start : <6x64xf32>, <6>
  %4, %5 = mha.start : <6x64xf32>, <6>
  return %0, %1, %3, %5 : !mha.tile<6x64xf32>, !mha.tile<6x64xf32>, !mha.stats<6>, !mha.stats<6>
}
