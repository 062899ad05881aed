//===- MhaDialect.td - The mha dialect and its types -------*- tablegen -*-===//
#ifndef ATTUNE_DIALECT_MHA_DIALECT
#define ATTUNE_DIALECT_MHA_DIALECT

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"

def Mha_Dialect : Dialect {
  let name = "mha";
  let cppNamespace = "::attune::mha";
  let summary = "Multi-head attention, as a graph of tensors and as a program over tiles";
  let description = [{
    Two levels. The graph level works on whole tensors and says what is computed. The tile level works
    on tiles of static extent, loaded from memrefs, and says in which order; it is the input of every
    code generator.

    Index names: b batch, h head, i query index, j key index. Sizes: N batch, L target length, S source
    length, E embed_dim, H num_heads, D head_dim.
  }];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
}

/// Order of the dimensions of a tensor that crosses the interface.
def Mha_Order : I32EnumAttr<"Order", "dimension order of an interface tensor", [
    I32EnumAttrCase<"NLE", 0, "nle">,   // module, batch_first
    I32EnumAttrCase<"LNE", 1, "lne">,   // module
    I32EnumAttrCase<"LE", 2, "le">,     // module, unbatched
    I32EnumAttrCase<"NHLD", 3, "nhld">, // attention
    I32EnumAttrCase<"HLD", 4, "hld">    // attention, unbatched
  ]> {
  let cppNamespace = "::attune::mha";
  let genSpecializedAttr = 0;
}
def Mha_OrderAttr : EnumAttr<Mha_Dialect, Mha_Order, "order">;

def Mha_PackKind : I32EnumAttr<"PackKind", "layout that mha.pack writes", [
    I32EnumAttrCase<"Panel", 0, "panel">, I32EnumAttrCase<"Rows", 1, "rows">]> {
  let cppNamespace = "::attune::mha";
  let genSpecializedAttr = 0;
}
def Mha_PackKindAttr : EnumAttr<Mha_Dialect, Mha_PackKind, "pack_kind">;

class Mha_Type<string name, string typeMnemonic> : TypeDef<Mha_Dialect, name> {
  let mnemonic = typeMnemonic;
}

def Mha_TileType : Mha_Type<"Tile", "tile"> {
  let summary = "A dense tile of static extent";
  let description = [{
    `!mha.tile<24x64xf32>` is a tile of 24 rows. `!mha.tile<256x64xf32, panel>` holds 256 rows that lie
    transposed in panels in memory (the layout that mha.pack panel writes).
  }];
  let parameters = (ins "int64_t":$rows, "int64_t":$columns, "::mlir::Type":$elementType,
                        "bool":$panel);
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    /// The type of an element in a region: f32 for every floating-point type.
    ::mlir::Type getRegionElementType() const;
  }];
}

def Mha_RowsType : Mha_Type<"Rows", "rows"> {
  let summary = "One number a row of a tile (rescale factors)";
  let parameters = (ins "int64_t":$rows);
  let assemblyFormat = "`<` $rows `>`";
}

def Mha_StatsType : Mha_Type<"Stats", "stats"> {
  let summary = "Running maximum and running sum of the online softmax, a row";
  let parameters = (ins "int64_t":$rows);
  let assemblyFormat = "`<` $rows `>`";
}

class Mha_Op<string opMnemonic, list<Trait> traits = []> : Op<Mha_Dialect, opMnemonic, traits>;

#endif
