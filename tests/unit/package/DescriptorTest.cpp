//===- DescriptorTest.cpp - What a generated object says of itself --------===//
#include "package/Descriptor.h"
#include "FullConfig.h"
#include "codegen/cpu/MachineCode.h"
#include "package/Jit.h"
#include <gtest/gtest.h>

using namespace attune;

namespace {

constexpr uint32_t kFloat = 1u << ATTUNE_FLOAT32, kMask = 1u << ATTUNE_BOOL | 1u << ATTUNE_UINT8;

/// An object with nothing but a descriptor, loaded into this process.
std::unique_ptr<LoadedModule> load(const Config &config) {
  auto target = cpu::resolveTarget("host");
  if (!target)
    throw std::runtime_error(llvm::toString(target.takeError()));
  llvm::LLVMContext context;
  llvm::Module module("descriptor", context);
  auto exported = addDescriptor(module, config, {0x1234, target->requiredFeatures, 4096});
  if (llvm::Error error = cpu::optimize(module, *target, exported))
    throw std::runtime_error(llvm::toString(std::move(error)));
  auto object = cpu::emitMachineCode(module, *target, cpu::MachineCodeKind::Object);
  if (!object)
    throw std::runtime_error(llvm::toString(object.takeError()));
  auto loaded = LoadedModule::load(*object, config.name);
  if (!loaded)
    throw std::runtime_error(llvm::toString(loaded.takeError()));
  return std::move(*loaded);
}

/// "name dtypes flags (symbol*factor+addend ...)" of every argument.
std::string show(const attune_argument_spec *specs, int32_t count) {
  std::string text;
  for (const attune_argument_spec &spec : llvm::ArrayRef(specs, count)) {
    text += std::string(spec.name) + " ";
    text += spec.dtypes == kFloat ? "float" : spec.dtypes == kMask ? "mask" : "?";
    text += spec.flags & ATTUNE_ARGUMENT_EVEN_ROWS ? " even" : "";
    text += spec.flags & ATTUNE_ARGUMENT_OUTPUT ? " output" : "";
    for (const attune_size_spec &size : llvm::ArrayRef(spec.sizes, spec.rank))
      text += std::string(" ") + "=NLS"[size.symbol] + std::to_string(size.factor) +
              (size.addend ? "+" + std::to_string(size.addend) : "");
    text += "\n";
  }
  return text;
}

TEST(Descriptor, FieldsOfAModule) {
  const auto loaded = load(fullConfig());
  const attune_module &module = loaded->module();
  EXPECT_EQ(module.struct_size, sizeof(attune_module));
  EXPECT_EQ(module.abi_version, ATTUNE_ABI_VERSION);
  EXPECT_EQ(module.cpu_features & ~attune_cpu_features(), 0u);
  EXPECT_STREQ(module.name, "full");
  EXPECT_EQ(module.hash, 0x1234u);
  EXPECT_EQ(module.packed_size, 4096);
  // Only the descriptor was generated.
  EXPECT_EQ(module.workspace_size, nullptr);
  EXPECT_EQ(module.forward, nullptr);
  EXPECT_EQ(module.pack, nullptr);
}

TEST(Descriptor, TensorsOfAModule) {
  const auto loaded = load(fullConfig());
  const attune_module &module = loaded->module();
  EXPECT_EQ(show(module.arguments, module.argument_count), "query float even L1 N1 =16\n"
                                                           "key float even S1 N1 =5\n"
                                                           "value float even S1 N1 =16\n"
                                                           "attn_mask float N2 L1 S1\n"
                                                           "key_padding_mask mask N1 S1\n"
                                                           "out float even output L1 N1 =16\n"
                                                           "weights float output N1 L1 S1+2\n");
  EXPECT_EQ(show(module.parameters, module.parameter_count), "q_proj_weight float =16 =16\n"
                                                             "k_proj_weight float =16 =5\n"
                                                             "v_proj_weight float =16 =16\n"
                                                             "in_proj_bias float =48\n"
                                                             "bias_k float =1 =1 =16\n"
                                                             "bias_v float =1 =1 =16\n"
                                                             "out_proj.weight float =16 =16\n"
                                                             "out_proj.bias float =16\n");
}

TEST(Descriptor, TensorsOfAttentionAlone) {
  Config config;
  config.name = "core";
  config.op = Op::Attention;
  config.module.numHeads = 2;
  config.module.headDim = 8;
  config.forward.batched = false;
  config.forward.attnMask = AttnMask::Bool3d;
  config.forward.keyPaddingMask = KeyPaddingMask::Float;
  config.forward.averageAttnWeights = false;
  const auto loaded = load(config);
  const attune_module &module = loaded->module();
  EXPECT_EQ(show(module.arguments, module.argument_count), "query float =2 L1 =8\n"
                                                           "key float =2 S1 =8\n"
                                                           "value float =2 S1 =8\n"
                                                           "attn_mask mask =2 L1 S1\n"
                                                           "key_padding_mask float S1\n"
                                                           "out float output =2 L1 =8\n"
                                                           "weights float output =2 L1 S1\n");
  EXPECT_EQ(module.parameter_count, 0);
  EXPECT_EQ(module.parameters, nullptr);
}

} // namespace
