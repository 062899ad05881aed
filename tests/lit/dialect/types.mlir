// RUN: attune-opt %s | attune-opt | FileCheck %s

// CHECK-LABEL: func.func private @types(
// CHECK-SAME: !mha.tile<24x64xf32>
// CHECK-SAME: !mha.tile<256x64xf32, panel>
// CHECK-SAME: !mha.tile<24x256xi8>
// CHECK-SAME: !mha.rows<24>
// CHECK-SAME: !mha.stats<24>
func.func private @types(!mha.tile<24x64xf32>, !mha.tile<256x64xf32, panel>, !mha.tile<24x256xi8>,
                         !mha.rows<24>, !mha.stats<24>)
