//===- InterfaceTest.cpp - Which tensors a configuration has --------------===//
#include "frontend/Interface.h"
#include <gtest/gtest.h>

using namespace attune;

namespace {

/// A module with embed_dim 8, 2 heads and three inputs, batched, (L, N, E), all sizes open.
Config moduleConfig() {
  Config config;
  config.module.embedDim = 8;
  config.module.numHeads = 2;
  config.forward.needWeights = false;
  return config;
}

/// Attention alone with 2 heads of 4 columns.
Config attentionConfig() {
  Config config;
  config.op = Op::Attention;
  config.module.numHeads = 2;
  config.module.headDim = 4;
  config.forward.needWeights = false;
  return config;
}

std::string show(const SymbolicSize &size) {
  if (size.symbol == SizeSymbol::Fixed)
    return std::to_string(size.factor) + (size.addend ? "+" + std::to_string(size.addend) : "");
  std::string text(1, "?NLS"[static_cast<int>(size.symbol)]);
  if (size.factor != 1)
    text = std::to_string(size.factor) + "*" + text;
  return size.addend ? text + "+" + std::to_string(size.addend) : text;
}

/// "name(sizes) name(sizes)"; masks of bool are followed by "b".
std::string show(const std::vector<InterfaceTensor> &tensors) {
  std::string text;
  for (const InterfaceTensor &tensor : tensors) {
    text += (text.empty() ? "" : " ") + tensor.name + "(";
    for (size_t k = 0; k < tensor.sizes.size(); ++k)
      text += (k ? "," : "") + show(tensor.sizes[k]);
    text += tensor.type == InterfaceType::Mask ? ")b" : ")";
  }
  return text;
}

Config checked(Config config) {
  llvm::Error error = checkConfig(config);
  EXPECT_FALSE(bool(error)) << llvm::toString(std::move(error));
  return config;
}

std::string inputs(const Config &config) { return show(interfaceInputs(checked(config))); }
std::string outputs(const Config &config) { return show(interfaceOutputs(checked(config))); }
std::string parameters(const Config &config) { return show(interfaceParameters(checked(config))); }

TEST(Interface, PlainModule) {
  Config config = moduleConfig();
  EXPECT_EQ(inputs(config), "query(L,N,8) key(S,N,8) value(S,N,8)");
  EXPECT_EQ(outputs(config), "out(L,N,8)");
  EXPECT_EQ(parameters(config),
            "in_proj_weight(24,8) in_proj_bias(24) out_proj.weight(8,8) out_proj.bias(8)");
  config.module.batchFirst = true;
  config.module.bias = false;
  config.forward.inputs = Inputs::Self;
  EXPECT_EQ(inputs(config), "query(N,L,8)");
  EXPECT_EQ(outputs(config), "out(N,L,8)");
  EXPECT_EQ(parameters(config), "in_proj_weight(24,8) out_proj.weight(8,8)");
}

TEST(Interface, MasksOfEveryKind) {
  const std::string plain = "query(L,N,8) key(S,N,8) value(S,N,8)";
  Config config = moduleConfig();
  config.forward.attnMask = AttnMask::Bool2d;
  EXPECT_EQ(inputs(config), plain + " attn_mask(L,S)b");
  config.forward.attnMask = AttnMask::Float2d;
  EXPECT_EQ(inputs(config), plain + " attn_mask(L,S)");
  config.forward.attnMask = AttnMask::Bool3d;
  EXPECT_EQ(inputs(config), plain + " attn_mask(2*N,L,S)b");
  config.forward.attnMask = AttnMask::Float3d;
  EXPECT_EQ(inputs(config), plain + " attn_mask(2*N,L,S)");
  config.forward.keyPaddingMask = KeyPaddingMask::Bool;
  EXPECT_EQ(inputs(config), plain + " attn_mask(2*N,L,S) key_padding_mask(N,S)b");
  config.forward.attnMask = AttnMask::None;
  config.forward.keyPaddingMask = KeyPaddingMask::Float;
  EXPECT_EQ(inputs(config), plain + " key_padding_mask(N,S)");
}

TEST(Interface, AppendedColumnsWidenTheWeightsAlone) {
  Config config = moduleConfig();
  config.forward.attnMask = AttnMask::Bool3d;
  config.forward.keyPaddingMask = KeyPaddingMask::Bool;
  config.forward.needWeights = true;
  EXPECT_EQ(appendedColumns(config), 0);
  EXPECT_EQ(outputs(config), "out(L,N,8) weights(N,L,S)");
  config.module.addZeroAttn = true;
  EXPECT_EQ(appendedColumns(config), 1);
  EXPECT_EQ(outputs(config), "out(L,N,8) weights(N,L,S+1)");
  config.module.addBiasKv = true;
  EXPECT_EQ(appendedColumns(config), 2);
  EXPECT_EQ(outputs(config), "out(L,N,8) weights(N,L,S+2)");
  config.forward.averageAttnWeights = false;
  EXPECT_EQ(outputs(config), "out(L,N,8) weights(N,2,L,S+2)");
  EXPECT_EQ(inputs(config), "query(L,N,8) key(S,N,8) value(S,N,8) attn_mask(2*N,L,S)b "
                            "key_padding_mask(N,S)b");
  config.module.addZeroAttn = false;
  config.forward.batched = false;
  EXPECT_EQ(outputs(config), "out(L,8) weights(2,L,S+1)");
  EXPECT_EQ(inputs(config),
            "query(L,8) key(S,8) value(S,8) attn_mask(2,L,S)b key_padding_mask(S)b");
  config.forward.averageAttnWeights = true;
  EXPECT_EQ(outputs(config), "out(L,8) weights(L,S+1)");
}

TEST(Interface, ParametersOfOtherWidths) {
  Config config = moduleConfig();
  config.module.kdim = config.module.vdim = 8; // given explicitly: still packed
  EXPECT_TRUE(hasPackedProjection(config));
  EXPECT_EQ(parameters(config), parameters(moduleConfig()));
  config.module.kdim = 5;
  EXPECT_FALSE(hasPackedProjection(config));
  EXPECT_EQ(inputs(config), "query(L,N,8) key(S,N,5) value(S,N,8)");
  EXPECT_EQ(parameters(config), "q_proj_weight(8,8) k_proj_weight(8,5) v_proj_weight(8,8) "
                                "in_proj_bias(24) out_proj.weight(8,8) out_proj.bias(8)");
  config.module.kdim = std::nullopt;
  config.module.vdim = 3;
  EXPECT_FALSE(hasPackedProjection(config));
  EXPECT_EQ(inputs(config), "query(L,N,8) key(S,N,8) value(S,N,3)");
  config.module.addBiasKv = true;
  EXPECT_EQ(parameters(config),
            "q_proj_weight(8,8) k_proj_weight(8,8) v_proj_weight(8,3) in_proj_bias(24) "
            "bias_k(1,1,8) bias_v(1,1,8) out_proj.weight(8,8) out_proj.bias(8)");
  config.module.bias = false;
  config.module.vdim = std::nullopt;
  EXPECT_EQ(parameters(config),
            "in_proj_weight(24,8) bias_k(1,1,8) bias_v(1,1,8) out_proj.weight(8,8)");
  config.module.kdim = config.module.vdim = 5;
  config.forward.inputs = Inputs::SharedKeyValue;
  EXPECT_EQ(inputs(config), "query(L,N,8) key(S,N,5)");
}

TEST(Interface, AttentionAlone) {
  Config config = attentionConfig();
  config.forward.attnMask = AttnMask::Float3d;
  config.forward.keyPaddingMask = KeyPaddingMask::Bool;
  config.forward.needWeights = true;
  EXPECT_EQ(inputs(config), "query(N,2,L,4) key(N,2,S,4) value(N,2,S,4) attn_mask(2*N,L,S) "
                            "key_padding_mask(N,S)b");
  EXPECT_EQ(outputs(config), "out(N,2,L,4) weights(N,L,S)");
  EXPECT_EQ(parameters(config), "");
  config.forward.averageAttnWeights = false;
  EXPECT_EQ(outputs(config), "out(N,2,L,4) weights(N,2,L,S)");
  config.forward.batched = false;
  EXPECT_EQ(inputs(config),
            "query(2,L,4) key(2,S,4) value(2,S,4) attn_mask(2,L,S) key_padding_mask(S)b");
  EXPECT_EQ(outputs(config), "out(2,L,4) weights(2,L,S)");
}

TEST(Interface, FixedSizesAreNumbers) {
  Config config = moduleConfig();
  config.module.addBiasKv = config.module.addZeroAttn = true;
  config.forward.batch = 3;
  config.forward.sourceLength = 7;
  config.forward.attnMask = AttnMask::Bool3d;
  config.forward.keyPaddingMask = KeyPaddingMask::Bool;
  config.forward.needWeights = true;
  EXPECT_EQ(inputs(config),
            "query(L,3,8) key(7,3,8) value(7,3,8) attn_mask(6,L,7)b key_padding_mask(3,7)b");
  EXPECT_EQ(outputs(config), "out(L,3,8) weights(3,L,9)");
  config.forward.batch = 0;
  config.forward.sourceLength = 0;
  EXPECT_EQ(inputs(config),
            "query(L,0,8) key(0,0,8) value(0,0,8) attn_mask(0,L,0)b key_padding_mask(0,0)b");
  EXPECT_EQ(outputs(config), "out(L,0,8) weights(0,L,2)");
}

TEST(Interface, SelfAttentionHasOneLength) {
  Config config = moduleConfig();
  config.forward.inputs = Inputs::Self;
  config.module.addZeroAttn = true;
  config.forward.attnMask = AttnMask::Bool3d;
  config.forward.keyPaddingMask = KeyPaddingMask::Float;
  config.forward.needWeights = true;
  EXPECT_EQ(inputs(config), "query(L,N,8) attn_mask(2*N,L,L)b key_padding_mask(N,L)");
  EXPECT_EQ(outputs(config), "out(L,N,8) weights(N,L,L+1)");
}

TEST(Interface, ShapesOfACall) {
  Config config = moduleConfig();
  config.module.addBiasKv = true;
  config.forward.attnMask = AttnMask::Float3d;
  config.forward.needWeights = true;
  config.forward.averageAttnWeights = false;
  const CallSizes sizes = {.batch = 3, .target = 4, .source = 5};
  EXPECT_EQ(shapeOf(interfaceInputs(config).back(), sizes), (std::vector<int64_t>{6, 4, 5}));
  EXPECT_EQ(shapeOf(interfaceOutputs(config).back(), sizes), (std::vector<int64_t>{3, 2, 4, 6}));
  EXPECT_EQ(shapeOf(interfaceParameters(config).front(), sizes), (std::vector<int64_t>{24, 8}));
}

} // namespace
