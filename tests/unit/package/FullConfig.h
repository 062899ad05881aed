// A module whose interface has everything that an interface can have.
#pragma once

#include "frontend/Config.h"

namespace attune {

/// embed_dim 16, 2 heads, keys of 5 columns, both appended columns, a mask for each head, a key
/// padding mask, weights averaged over heads; batched, sizes open.
inline Config fullConfig() {
  Config config;
  config.name = "full";
  config.module.embedDim = 16;
  config.module.numHeads = 2;
  config.module.headDim = 8;
  config.module.kdim = 5;
  config.module.addBiasKv = true;
  config.module.addZeroAttn = true;
  config.forward.attnMask = AttnMask::Float3d;
  config.forward.keyPaddingMask = KeyPaddingMask::Bool;
  config.forward.needWeights = true;
  return config;
}

} // namespace attune
