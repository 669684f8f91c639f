#include "data/npz.h"

#include "data/support.h"

namespace kappa::testing {
namespace {

std::vector<NamedArray> parse(std::string bytes, std::int64_t max_bytes = 1 << 20) {
  return read_npz(NpzReader(memory_store(std::move(bytes), "test.npz")), {0, max_bytes, {}});
}

TEST(Npz, ListsAndReadsByName) {
  const NpzReader reader(golden("stored.npz"));
  EXPECT_EQ(reader.names(), (std::vector<std::string>{"x", "y"}));
  EXPECT_TRUE(reader.contains("x"));
  EXPECT_FALSE(reader.contains("z"));
  EXPECT_EQ(reader.read("y").to_doubles(), (std::vector<double>{2, 0, 1}));
  expect_error([&] { return reader.read("z"); }, ErrorKind::name,
               {"stored.npz", "'z'", "'x', 'y'"});
}

TEST(Npz, WhatIsWrittenIsRead) {
  const TempFolder folder;
  const std::vector<double> weights = {1.5, -2.5, 1e300, 0};
  const std::vector<float> bias = {1.5f, 2.5f};
  const std::vector<std::int64_t> steps = {-(std::int64_t{1} << 60)};
  write_npz(folder.path("w.npz"), {{"layers.0.weight", {weights.data(), {2, 2}}},
                                   {"layers.0.bias", {bias.data(), {2}}},
                                   {"steps", {steps.data(), {}}},
                                   {"empty", {bias.data(), {0, 7}}}});
  const auto arrays = read_npz(folder.path("w.npz"));
  ASSERT_EQ(arrays.size(), 4u);
  EXPECT_EQ(arrays[0].name, "layers.0.weight");
  EXPECT_EQ(arrays[0].array.shape, (std::vector<std::int64_t>{2, 2}));
  EXPECT_EQ(std::get<std::vector<double>>(arrays[0].array.values), weights);
  EXPECT_EQ(std::get<std::vector<float>>(arrays[1].array.values), bias);
  EXPECT_EQ(std::get<std::vector<std::int64_t>>(arrays[2].array.values), steps);
  EXPECT_EQ(arrays[3].array.shape, (std::vector<std::int64_t>{0, 7}));
}

TEST(Npz, NumpyAndScipyReadWhatIsWritten) {
  if (std::system("/usr/bin/python3 -c 'import numpy, scipy.sparse' 2>/dev/null") != 0) {
    GTEST_SKIP() << "python3 with numpy and scipy is not installed";
  }
  const TempFolder folder;
  const std::vector<double> weights = {1, 2, 3, 4, 5, 6};
  write_npz(folder.path("w.npz"), {{"a", {weights.data(), {2, 3}}}, {"b", {weights.data(), {}}}});
  // [[0 1 0] [2 0 3]]
  const std::vector<std::int64_t> offsets = {0, 1, 3}, columns = {1, 0, 2};
  write_csr_npz(folder.path("s.npz"), 2, 3, offsets, columns, StoredArrayView(weights.data(), {3}));
  const std::string check =
      "import sys, zipfile, numpy as np, scipy.sparse as sp\n"
      "w = np.load(sys.argv[1] + '/w.npz')\n"
      "assert (w['a'] == [[1, 2, 3], [4, 5, 6]]).all() and w['b'] == 1 and w['b'].shape == ()\n"
      "assert zipfile.ZipFile(sys.argv[1] + '/w.npz').testzip() is None\n"
      "s = sp.load_npz(sys.argv[1] + '/s.npz')\n"
      "assert s.format == 'csr' and (s.toarray() == [[0, 1, 0], [2, 0, 3]]).all()\n";
  const std::string script = folder.file("check.py", check);
  EXPECT_EQ(std::system(("/usr/bin/python3 " + script + " " + folder.path(".")).c_str()), 0);
}

TEST(Npz, TheBudgetHoldsForTheSum) {
  const std::string bytes = bytes_of(golden("stored.npz"));  // x takes 240 bytes, y 24
  EXPECT_EQ(parse(bytes, 264).size(), 2u);
  expect_error([&] { parse(bytes, 263); }, ErrorKind::resource, {"'y'", "24 bytes", "23 bytes"});
}

TEST(Npz, RefusesOtherCompression) {
  expect_error([] { read_npz(golden("bzip2.npz")); }, ErrorKind::unsupported,
               {"bzip2.npz", "method 12", "savez_compressed"});
}

TEST(Npz, RefusesWhatIsNoArchive) {
  expect_error([] { parse(""); }, ErrorKind::data, {"test.npz", "missing"});
  expect_error([] { parse(std::string(1000, 'x')); }, ErrorKind::data, {"missing"});
}

TEST(Npz, EveryFlippedBitIsDetectedOrHarmless) {
  const TempFolder folder;
  const std::vector<float> values = {1, 2, 3};
  write_npz(folder.path("ours.npz"), {{"x", {values.data(), {3}}}});
  for (const std::string& path : {golden("stored.npz"), folder.path("ours.npz")}) {
    const std::string bytes = bytes_of(path);
    const auto expected = parse(bytes);
    expect_truncations_refused(bytes, [](std::string text) { parse(std::move(text)); });
    expect_flips_survived(bytes, [&](std::string text) {
      for (const NamedArray& array : parse(std::move(text))) {
        for (const NamedArray& original : expected) {
          if (array.name != original.name) continue;
          EXPECT_EQ(array.array.to_doubles(), original.array.to_doubles());
        }
      }
    });
  }
}

TEST(Npz, CompressedArchivesSurviveCorruption) {
  // One bit of every third byte of the archive of 40 arrays: all bits of all bytes take too long.
  const std::string bytes = bytes_of(golden("dtypes.npz"));
  for (std::size_t at = 0; at < bytes.size(); at += 3) {
    std::string flipped = bytes;
    flipped[at] = static_cast<char>(flipped[at] ^ (1 << at % 8));
    try {
      parse(std::move(flipped));
    } catch (const Error&) {
    }
  }
  for (std::size_t length = 0; length < bytes.size(); length += 7) {
    EXPECT_THROW(parse(bytes.substr(0, length)), Error);
  }
}

}  // namespace
}  // namespace kappa::testing
