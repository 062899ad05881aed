//===- BindArguments.td ------------------------------------*- tablegen -*-===//
include "mlir/Pass/PassBase.td"

def BindArguments : Pass<"mha-bind-arguments", "::mlir::ModuleOp"> {
  let summary = "Gives forward and pack the C interface of a generated module";
  let description = [{
    `forward` becomes forward_entry(context, tensors, packed, workspace, sizes, workers) and `pack`
    becomes pack_entry(context, tensors, packed): the function pointers of attune_module
    (attune/attune.h). Memref arguments are built from the attune_tensor array in order, N, L and S are
    read from attune_call_sizes, and the packed tensors begin after the packed header. The runtime has
    checked everything before.

    Before:
    ```mlir
    func.func @pack(%context: !llvm.ptr, %w: memref<8xf32, strided<[1]>> {mha.parameter = "w"}, %p: memref<16xf32> {mha.packed}) {
      func.call @use(%w, %p) : (memref<8xf32, strided<[1]>>, memref<16xf32>) -> ()
      return
    }
    func.func private @use(memref<8xf32, strided<[1]>>, memref<16xf32>)
    ```
    After (checked by tests/lit/transforms/BindArguments/pack.mlir).
  }];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}
