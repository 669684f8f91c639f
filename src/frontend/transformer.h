#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "frontend/network.h"

namespace kappa {

/// A transformer encoder as it is written: `transformer:28x28-d64-h4-l2-10`.
///
/// A sample is a sequence of `tokens` vectors of `features` numbers (the rows of an image of
/// 28 x 28, say). Each becomes `width` numbers, to which a learned position is added; then come
/// `layers` encoder layers (Vaswani et al. 2017, section 3.1), and a dense layer makes `outputs`
/// numbers of the mean over the tokens.
struct TransformerSpec {
  std::int64_t tokens = 0, features = 0;
  std::int64_t width = 0;         // d
  std::int64_t heads = 1;         // h; divides the width
  std::int64_t layers = 1;        // l
  std::int64_t feed_forward = 0;  // f; 4 d where it is not written
  std::int64_t outputs = 0;
  std::string activation = "gelu";  // of the feed-forward layers
  std::string text;
};

NetworkPreset transformer_preset();

/// Reads `transformer:TOKENSxFEATURES-dWIDTH-hHEADS-lLAYERS[-fFEEDFORWARD]-OUT[:ACTIVATION]`.
/// Throws Error(parse | name | resource | value) in one line.
TransformerSpec parse_transformer(std::string_view text);

/// The encoder. Its layers' parameters are named as in torch.nn.TransformerEncoder; a layer is
///
///   h <- norm1(h + attention(h)),   h <- norm2(h + W2 activation(W1 h + b1) + b2)
///
/// as torch.nn.TransformerEncoderLayer(norm_first=False, batch_first=True, dropout=0). Its matrix
/// products cost 24 d^2 + 4 tokens d operations a token (at f = 4 d).
Network transformer_network(const TransformerSpec& spec);

}  // namespace kappa
