#pragma once

#include <gtest/gtest.h>

#include <span>
#include <string>

#include "kappa/error.h"

namespace kappa::testing {

/// A layer string and a part of the one line that refuses it.
struct Refusal {
  const char* text;
  ErrorKind kind;
  const char* message;
};

template <class Read>
void expect_refused(std::span<const Refusal> cases, Read&& read) {
  for (const Refusal& refusal : cases) {
    try {
      read(refusal.text);
      ADD_FAILURE() << refusal.text << " was read";
    } catch (const Error& error) {
      const std::string message = error.what();
      EXPECT_EQ(error.kind(), refusal.kind) << refusal.text << ": " << message;
      EXPECT_NE(message.find(refusal.message), std::string::npos) << message;
      EXPECT_EQ(message.rfind("layers ", 0), 0u) << message;
      EXPECT_EQ(message.find('\n'), std::string::npos) << message;
    }
  }
}

}  // namespace kappa::testing
