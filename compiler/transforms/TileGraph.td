//===- TileGraph.td ----------------------------------------*- tablegen -*-===//
include "mlir/Pass/PassBase.td"

def TileGraph : Pass<"mha-tile", "::mlir::ModuleOp"> {
  let summary = "Turns the graph into a program over tiles, as the schedule says";
  let description = [{
    Every stage becomes one scf.forall: a projection runs over (row tile, panel of columns); attention
    over (batch, head), where a worker packs the keys and values of a head into a slot of its own and
    attends it at once, while they are in its cache. With too few heads for that, all workers first pack,
    over (batch, head, kv tile), then attend, over (batch, head, query tile).

    Where products take pairs of bfloat16 a projection stores keys and values of all heads as attention
    reads them, if attention wants nothing else of them; attention then runs over (batch, head), or over
    (batch, head, query tile), without packing.

    With at most few_rows query rows, by the configuration or else by a test in the program, keys and
    values are read once, where they lie: over (batch, head, split of split_keys keys), each of which
    saves an accumulator with its statistics, then over (batch, head), which merges them in order. Values
    of tiles that may hold padded keys are copied first, with zeros.

    Inside, conjuncts of the keep region decide which kv tiles a query tile visits. Those of the form
    j <= +-i + c cut the kv loop in two: full tiles, which run only what is left of keep, and edge tiles,
    which run all of it; tiles without a visible key are never visited. A mask of (b, j) alone, key
    padding, gives a first visible key and an end for each batch element, which bound loops and packing.
    A bool mask is looked at tile by tile: a hidden tile is passed over, one that is visible throughout
    runs without the mask. Appended keys take one more step behind the loops.

    Attention that returns its weights runs over (batch, head, query tile), or for weights averaged over
    heads over (batch, block of query tiles), the heads in order: logits of whole rows, their softmax, the
    products with the values, the weights. A head attends all tiles of a block in turn, so that its keys and
    values are read once a block; with many workers blocks have fewer tiles. Where products take pairs of
    bfloat16, logits are float32, and the softmax leaves a copy of the probabilities in bfloat16.

    Tensors become memrefs: interface tensors are arguments with run-time strides, results are the last
    ones; `packed` holds all packed parameters; the sizes N, L and S are index arguments, which are used
    where the configuration leaves a size open. Where an object serves several targets, all of them read
    the same packed weights; the module attribute `mha.appended_offset` says where, behind what the
    other targets pack, packed keys and values of mha.appended start.

    Before:
    ```mlir
    module attributes {mha.schedule = {query_tile = 6, kv_tile = 64, scores_rows = 6, scores_vectors = 4, values_rows = 6, values_vectors = 4, projection_block_rows = 8, projection_block_vectors = 3, projection_rows = 128, projection_depth = 512, weight_panel = 48, exp2_degree = 6, grain = 1, heads_per_worker = 8, few_rows = 0, split_keys = 1024, pack_value = "as_is"}, mha.cpu = {vector_lanes = 16, vector_registers = 32}} {
      func.func @forward(%q: tensor<1x2x?x64xf32> {mha.input = "query"}, %k: tensor<1x2x?x64xf32> {mha.input = "key"}, %v: tensor<1x2x?x64xf32> {mha.input = "value"}) -> tensor<1x2x?x64xf32> {
        %0 = mha.split_heads %q order nhld first 0 : tensor<1x2x?x64xf32> -> tensor<1x2x?x64xf32>
        %1 = mha.split_heads %k order nhld first 0 : tensor<1x2x?x64xf32> -> tensor<1x2x?x64xf32>
        %2 = mha.split_heads %v order nhld first 0 : tensor<1x2x?x64xf32> -> tensor<1x2x?x64xf32>
        %3 = mha.attend %0, %1, %2 scale 1.250000e-01 : (tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32>, tensor<1x2x?x64xf32>) -> tensor<1x2x?x64xf32> keep {
        ^bb0(%b: index, %h: index, %i: index, %j: index):
          %c = arith.cmpi sle, %j, %i : index
          mha.yield %c : i1
        }
        %4 = mha.merge_heads %3 order nhld : tensor<1x2x?x64xf32> -> tensor<1x2x?x64xf32>
        return %4 : tensor<1x2x?x64xf32>
      }
    }
    ```
    After (checked by tests/lit/transforms/TileGraph/causal.mlir).
  }];
  let dependentDialects = ["::attune::mha::MhaDialect", "::mlir::func::FuncDialect",
                           "::mlir::scf::SCFDialect", "::mlir::memref::MemRefDialect",
                           "::mlir::affine::AffineDialect", "::mlir::arith::ArithDialect"];
}
