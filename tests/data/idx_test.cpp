#include "data/idx.h"

#include "data/support.h"

namespace kappa::testing {
namespace {

StoredArray parse(std::string bytes, ReadLimits limits = {0, 1 << 20, {}}) {
  const ByteSourcePtr source = content_source(memory_store(std::move(bytes), "test-idx"));
  return read_idx(*source, limits);
}

TEST(Idx, ReadsBytesAsBytes) {
  const StoredArray tensor = parse(idx_bytes({2, 3}, std::string("\x00\x01\x02\xff\xfe\xfd", 6)));
  EXPECT_EQ(tensor.type(), ElementType::u8);
  EXPECT_EQ(tensor.shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(tensor.to_doubles(), (std::vector<double>{0, 1, 2, 255, 254, 253}));
}

TEST(Idx, ReadsEveryType) {
  using Doubles = std::vector<double>;
  EXPECT_EQ(parse(idx_bytes({1}, "\xff", 0x09)).to_doubles(), Doubles{-1});
  EXPECT_EQ(parse(idx_bytes({1}, "\xff\xfe", 0x0b)).to_doubles(), Doubles{-2});
  EXPECT_EQ(parse(idx_bytes({1}, std::string("\0\1\0\0", 4), 0x0c)).to_doubles(), Doubles{65536});
  // IEEE 754: 1.5 is 3fc00000 and 3ff8000000000000.
  EXPECT_EQ(parse(idx_bytes({1}, std::string("\x3f\xc0\0\0", 4), 0x0d)).to_doubles(), Doubles{1.5});
  EXPECT_EQ(parse(idx_bytes({1}, std::string("\x3f\xf8\0\0\0\0\0\0", 8), 0x0e)).to_doubles(),
            Doubles{1.5});
}

TEST(Idx, ReadsTheFirstRowsOnly) {
  const std::string bytes = idx_bytes({3, 2}, "abcdef");
  EXPECT_EQ(parse(bytes, {2, 100, {}}).to_doubles(), (std::vector<double>{'a', 'b', 'c', 'd'}));
  EXPECT_EQ(parse(gzip(bytes), {1, 100, {}}).to_doubles(), (std::vector<double>{'a', 'b'}));
}

TEST(Idx, RefusesOtherFiles) {
  expect_error([] { parse("\x89PNG rest"); }, ErrorKind::data, {"test-idx", "89 50 4e 47"});
  expect_error([] { parse(std::string("\0\0\x08\0", 4)); }, ErrorKind::data, {"number of axes"});
  expect_error([] { parse(idx_bytes({1}, "a", 0x0f)); }, ErrorKind::data, {"00 00 0f 01"});
  expect_error([] { parse(idx_bytes({1}, "ab")); }, ErrorKind::data, {"more bytes follow"});
}

TEST(Idx, RefusesHugeSizesBeforeTakingMemory) {
  const std::uint32_t huge = 0xffffffff;
  expect_error([&] { parse(idx_bytes({huge}, "a")); }, ErrorKind::data,
               {"(4294967295,)", "at most 1 bytes"});
  expect_error([&] { parse(idx_bytes({huge, huge, huge}, "a")); }, ErrorKind::data, {"at most"});
  expect_error([&] { parse(gzip(idx_bytes({huge}, "a"))); }, ErrorKind::data, {"at most"});
  // The budget.
  expect_error(
      [] {
        parse(idx_bytes({100, 784}, std::string(78400, 'x')), {0, 1000, {}});
      },
      ErrorKind::resource, {"test-idx", "78 kB", "1.0 kB", "--samples"});
}

TEST(Idx, SurvivesTruncationAndFlippedBits) {
  for (const std::string& bytes : {idx_bytes({2, 3}, "abcdef"), idx_bytes({2}, "abcdefgh", 0x0d),
                                   gzip(idx_bytes({2}, "ab"))}) {
    expect_truncations_refused(bytes, [](std::string text) { parse(std::move(text)); });
    expect_flips_survived(bytes, [](std::string text) { parse(std::move(text)); });
  }
}

}  // namespace
}  // namespace kappa::testing
