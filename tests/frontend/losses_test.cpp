#include "frontend/losses.h"

#include <gtest/gtest.h>

#include <cmath>

#include "formula_helpers.h"
#include "kappa/error.h"

namespace kappa {
namespace {

using namespace kappa::testing;

List loss_of(const char* name, const Shape& shape, const List& z, const Shape& target_shape,
             const List& y, DType target_type) {
  Builder builder;
  const Array output = builder.input({DType::f64, shape}, "z");
  const Array target = builder.input({target_type, target_shape}, "y");
  const Program program = builder.finish(std::vector{build_loss(find_loss(name), output, target)});
  const std::vector<Tensor> inputs{Tensor::from_doubles(z, shape, DType::f64),
                                   Tensor::from_doubles(y, target_shape, target_type)};
  return elements(evaluate(program, inputs)[0]);
}

TEST(Losses, AgainstTheirDefinitions) {
  const List z{1, -2, 0.5, 3, 0, -1};
  const double first = std::log(std::exp(1) + std::exp(-2) + std::exp(0.5)) - 0.5;
  const double second = std::log(std::exp(3) + std::exp(0) + std::exp(-1)) - 3;
  const List entropy = loss_of("cross-entropy", {2, 3}, z, {2}, {2, 0}, DType::i64);
  ASSERT_EQ(entropy.size(), 2u);
  EXPECT_NEAR(entropy[0], first, 1e-15);
  EXPECT_NEAR(entropy[1], second, 1e-15);
  EXPECT_EQ(loss_of("nll", {2, 3}, z, {2}, {1, 2}, DType::i64), (List{2, 1}));
  EXPECT_EQ(loss_of("mse", {2, 3}, z, {2, 3}, {0, 0, 0.5, 3, 2, 0}, DType::f64),
            (List{5.0 / 3, 5.0 / 3}));
  EXPECT_EQ(loss_of("mse", {2, 1}, {1, 3}, {2}, {0, 1}, DType::f64), (List{1, 4}));
  EXPECT_EQ(loss_of("huber", {4}, {0.5, -4, 1, 1.5}, {4}, {0, 0, 0, 0}, DType::f64),
            (List{0.125, 3.5, 0.5, 1}));
  EXPECT_EQ(loss_of("output", {2, 1}, {3, -4}, {2}, {0, 0}, DType::f64), (List{3, -4}));
  const List bce = loss_of("bce", {2, 1}, {0.7, -1.5}, {2}, {1, 0}, DType::i64);
  EXPECT_NEAR(bce[0], std::log(1 + std::exp(-0.7)), 1e-15);
  EXPECT_NEAR(bce[1], std::log(1 + std::exp(-1.5)), 1e-15);
}

TEST(Losses, ExtremeLogitsStayFinite) {
  EXPECT_EQ(loss_of("cross-entropy", {1, 2}, {1000, -1000}, {1}, {1}, DType::i64), List{2000});
  EXPECT_EQ(loss_of("bce", {1}, {-1000}, {1}, {1}, DType::f64), List{1000});
  EXPECT_EQ(loss_of("bce", {1}, {1000}, {1}, {1}, DType::f64), List{0});
}

TEST(Losses, SequencesAreAveraged) {
  // Two positions a sample: the mean of the two losses.
  const List z{1, 0, 0, 2};
  const double expected = (std::log(1 + std::exp(-1)) + std::log(1 + std::exp(-2))) / 2;
  EXPECT_NEAR(loss_of("cross-entropy", {1, 2, 2}, z, {1, 2}, {0, 1}, DType::i64)[0], expected,
              1e-15);
}

TEST(Losses, WrongTargetsAreNamed) {
  const auto refused = [](const char* loss, const Shape& targets, DType type, const char* part) {
    try {
      loss_of(loss, {2, 3}, List(6), targets, List(num_elements(targets)), type);
      ADD_FAILURE() << loss << " took " << to_string(targets);
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  };
  refused("cross-entropy", {3}, DType::i64, "targets of shape (3), expected (2)");
  refused("cross-entropy", {2}, DType::f64, "whole numbers");
  refused("mse", {2}, DType::f64, "targets of shape () and outputs of shape (3)");
  refused("mse", {2, 1}, DType::f64, "targets of shape (1) and outputs of shape (3)");
  refused("output", {2}, DType::f64, "not one value a sample");
  try {
    find_loss("cross_entropy");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::name);
    EXPECT_NE(std::string(error.what()).find("did you mean 'cross-entropy'?"), std::string::npos);
  }
}

}  // namespace
}  // namespace kappa
