#include "data/npy.h"

#include <numeric>

#include "data/npz.h"
#include "data/support.h"

namespace kappa::testing {
namespace {

StoredArray parse(std::string bytes, ReadLimits limits = {0, 1 << 20, {}}) {
  const ByteSourcePtr source = content_source(memory_store(std::move(bytes), "test.npy"));
  return read_npy(*source, limits);
}

/// A file of version 1.0 with this dictionary.
std::string npy(const std::string& dictionary, std::string_view elements = "") {
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(dictionary.size() & 0xff);
  bytes += static_cast<char>(dictionary.size() >> 8);
  return bytes + dictionary + std::string(elements);
}

std::string npy(const std::string& descr, const std::string& shape, std::string_view elements) {
  return npy("{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }",
             elements);
}

double expected_value(char kind, std::int64_t i) {
  switch (kind) {
    case 'f': return static_cast<double>(i) / 4 - 7;
    case 'i': return static_cast<double>(i) - 30;
    case 'b': return i % 3 == 0;
    default: return static_cast<double>(i);
  }
}

TEST(Npy, ReadsEveryTypeOrderAndLayoutThatNumpyWrites) {
  const NpzReader reader(golden("dtypes.npz"));
  ASSERT_EQ(reader.names().size(), 40u);
  for (const std::string& name : reader.names()) {
    const StoredArray tensor = reader.read(name);
    EXPECT_EQ(tensor.shape, (std::vector<std::int64_t>{3, 4, 5})) << name;
    for (std::int64_t i = 0; i < 60; ++i) {
      ASSERT_EQ(tensor[i], expected_value(name[0], i)) << name << " element " << i;
    }
  }
  EXPECT_EQ(reader.read("u1_little_C").type(), ElementType::u8);
  EXPECT_EQ(reader.read("f4_big_F").type(), ElementType::f32);
  EXPECT_EQ(reader.read("f8_little_C").type(), ElementType::f64);
  EXPECT_EQ(reader.read("u4_little_C").type(), ElementType::i64);
}

TEST(Npy, ReadsTheFirstRowsOfEveryLayout) {
  const NpzReader reader(golden("dtypes.npz"));
  for (const std::string& name : reader.names()) {
    const StoredArray tensor = reader.read(name, {.max_rows = 2});
    EXPECT_EQ(tensor.shape, (std::vector<std::int64_t>{2, 4, 5})) << name;
    ASSERT_EQ(tensor.to_doubles().size(), 40u);
    for (std::int64_t i = 0; i < 40; ++i) ASSERT_EQ(tensor[i], expected_value(name[0], i)) << name;
  }
}

TEST(Npy, ReadsAllVersionsScalarsAndEmptyArrays) {
  for (const char* name : {"version2.npy", "version3.npy"}) {
    const StoredArray tensor = read_npy(golden(name));
    EXPECT_EQ(tensor.to_doubles(), (std::vector<double>{0, 1, 2, 3, 4, 5})) << name;
  }
  const StoredArray scalar = read_npy(golden("scalar.npy"));
  EXPECT_TRUE(scalar.shape.empty());
  EXPECT_EQ(scalar[0], 2.5);
  EXPECT_EQ(read_npy(golden("empty.npy")).shape, (std::vector<std::int64_t>{0, 3}));
}

TEST(Npy, WritesTheBytesThatNumpyWrites) {
  const TempFolder folder;
  std::vector<double> values(12);
  std::iota(values.begin(), values.end(), 0);
  write_npy(folder.path("matrix.npy"), StoredArrayView(values.data(), {3, 4}));
  EXPECT_EQ(bytes_of(folder.path("matrix.npy")), bytes_of(golden("matrix.npy")));
  write_npy(folder.path("scalar.npy"), read_npy(golden("scalar.npy")));
  EXPECT_EQ(bytes_of(folder.path("scalar.npy")), bytes_of(golden("scalar.npy")));
  write_npy(folder.path("empty.npy"), read_npy(golden("empty.npy")));
  EXPECT_EQ(bytes_of(folder.path("empty.npy")), bytes_of(golden("empty.npy")));
}

TEST(Npy, RefusesTypesItCannotKeep) {
  const NpzReader reader(golden("refused.npz"));
  expect_error([&] { return reader.read("objects"); }, ErrorKind::type,
               {"objects", "'|O'", "astype"});
  expect_error([&] { return reader.read("structure"); }, ErrorKind::type, {"structured"});
  expect_error([&] { return reader.read("text"); }, ErrorKind::type, {"'<U1'"});
  expect_error([&] { return reader.read("complex"); }, ErrorKind::type, {"'<c16'"});
  expect_error([&] { return reader.read("half"); }, ErrorKind::type, {"'<f2'"});
}

TEST(Npy, RefusesMalformedHeaders) {
  const auto refused = [](const std::string& bytes, std::initializer_list<const char*> parts) {
    expect_error([&] { parse(bytes); }, ErrorKind::data, parts);
  };
  refused("not an array at all", {"test.npy", "does not begin with"});
  refused(std::string("\x93NUMPY\x09\x00\x10\x00", 10), {"version 9"});
  refused(std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff", 12), {"declares 4294967295 bytes"});
  refused(npy("{}"), {"missing"});
  refused(npy("{'descr': '<f8', 'fortran_order': False, }"), {"missing"});
  refused(npy("{'descr': '<f8', 'descr': '<f8', }"), {"repeated key 'descr'"});
  refused(npy("{'descr': '<f8"), {"does not end"});
  refused(npy("{'descr': '<f8', 'fortran_order': Maybe, }"), {"neither True nor False"});
  refused(npy("<f8", "(2,", ""), {"shape"});
  refused(npy("<f8", "(-1,)", ""), {"not a number from 0"});
  refused(npy("<f8", "(99999999999999999999,)", ""), {"not a number from 0"});
  refused(npy("<f8", "(1,) + (2,)", ""), {"character"});
}

TEST(Npy, RefusesHugeSizesBeforeTakingMemory) {
  // The product overflows 64 bits.
  expect_error([] { parse(npy("<f8", "(4294967296, 4294967296)", "abcd")); }, ErrorKind::data,
               {"(4294967296, 4294967296)", "at most 4 bytes follow"});
  expect_error([] { parse(npy("|u1", "(4611686018427387904, 2)", "")); }, ErrorKind::data,
               {"at most 0 bytes"});
  expect_error([] { parse(npy("|u1", "(1000000000000,)", "abcd")); }, ErrorKind::data,
               {"(1000000000000,)"});
  // A zero extent makes the payload empty but not the product of the others.
  EXPECT_TRUE(parse(npy("<f8", "(0, 4)", "")).empty());
  // One byte stored as one byte, i1 as eight: the budget counts what is kept.
  const std::string elements(1000, '\1');
  EXPECT_EQ(parse(npy("|u1", "(1000,)", elements), {0, 1000, {}}).size(), 1000);
  expect_error(
      [&] {
        parse(npy("|i1", "(1000,)", elements), {0, 7999, {}});
      },
      ErrorKind::resource, {"test.npy", "(1000,)", "8.0 kB", "budget", "--samples"});
  EXPECT_EQ(parse(npy("|i1", "(1000,)", elements), {10, 7999, {}}).size(), 10);
}

TEST(Npy, RefusesTrailingBytes) {
  expect_error([] { parse(npy("|u1", "(2,)", "abc")); }, ErrorKind::data, {"more bytes follow"});
}

TEST(Npy, ReadsGzip) {
  const StoredArray tensor = parse(gzip(npy("|u1", "(3,)", "abc")));
  EXPECT_EQ(tensor.to_doubles(), (std::vector<double>{'a', 'b', 'c'}));
}

TEST(Npy, SurvivesTruncationAndFlippedBits) {
  for (const char* name : {"matrix.npy", "columns.npy", "scalar.npy", "version2.npy"}) {
    const std::string bytes = bytes_of(golden(name));
    expect_truncations_refused(bytes, [](std::string text) { parse(std::move(text)); });
    expect_flips_survived(bytes, [](std::string text) { parse(std::move(text)); });
  }
}

TEST(Gzip, EveryFlippedBitIsDetectedOrHarmless) {
  const std::string plain = npy("<f8", "(3,)", std::string(24, '\x3f'));
  const std::vector<double> expected = parse(plain).to_doubles();
  const std::string bytes = gzip(plain);
  expect_truncations_refused(bytes, [](std::string text) { parse(std::move(text)); });
  expect_flips_survived(
      bytes, [&](std::string text) { EXPECT_EQ(parse(std::move(text)).to_doubles(), expected); });
}

TEST(Gzip, ReadsSeveralMembersAndRefusesGarbageAfterThem) {
  const std::string plain = npy("|u1", "(4,)", "abcd");
  const std::string members = gzip(plain.substr(0, 30)) + gzip(plain.substr(30));
  EXPECT_EQ(parse(members).to_doubles(), (std::vector<double>{'a', 'b', 'c', 'd'}));
  expect_error([&] { parse(members + "garbage"); }, ErrorKind::data, {"corrupt compressed data"});
}

TEST(Gzip, ABombIsRefusedByTheHeaderOfTheArrayInIt) {
  const std::string bomb = gzip(npy("|u1", "(100000000,)", std::string(3000000, '\0')));
  ASSERT_LT(bomb.size(), 10000u);
  expect_error([&] { parse(bomb); }, ErrorKind::data, {"at most"});
  // Within what deflate could hold, but over the budget.
  const std::string large = gzip(npy("|u1", "(3000000,)", std::string(3000000, '\0')));
  expect_error([&] { parse(large); }, ErrorKind::resource, {"3.0 MB", "budget"});
}

}  // namespace
}  // namespace kappa::testing
