#include "data/dataset.h"

#include <cmath>
#include <numeric>

#include "data/npz.h"
#include "data/support.h"

namespace kappa::testing {
namespace {

using Doubles = std::vector<double>;
using Shape = std::vector<std::int64_t>;

Doubles inputs(const Dataset& data) {
  Doubles x(static_cast<std::size_t>(data.num_samples() * data.num_features()));
  copy_inputs(data, Rows::range(0, data.num_samples()), x.data());
  return x;
}

Doubles targets(const Dataset& data) {
  Doubles y(static_cast<std::size_t>(data.num_samples() * data.num_targets()));
  copy_targets(data, Rows::range(0, data.num_samples()), y.data());
  return y;
}

/// Files of three samples with two features and labels 2 0 1, in every format.
class Formats : public ::testing::Test {
 protected:
  Formats() {
    write_npz(folder.path("xy.npz"),
              {{"x", {x.data(), {3, 2}}}, {"y", {y.data(), {3}}}, {"w", {x.data(), {6}}}});
    write_npy(folder.path("x.npy"), {x.data(), {3, 2}});
    write_npy(folder.path("y.npy"), {y.data(), {3}});
    const std::string images = idx_bytes({3, 1, 2}, "\1\2\3\4\5\6");
    const std::string labels = idx_bytes({3}, std::string("\2\0\1", 3));
    (void)folder.file("images-idx3-ubyte", images);
    (void)folder.file("labels-idx1-ubyte", labels);
    (void)folder.file("images-idx3-ubyte.gz", gzip(images));
    (void)folder.file("labels-idx1-ubyte.gz", gzip(labels));
    const std::string table = "a,label,b\n1,2,2\n3,0,4\n5,1,6\n";
    (void)folder.file("t.csv", table);
    (void)folder.file("t.csv.gz", gzip(table));
    (void)folder.file("x.csv", "1,2\n3,4\n5,6\n");
    (void)folder.file("unnamed", table);
  }

  [[nodiscard]] std::string pair(const std::string& first, const std::string& second) const {
    return folder.path(first) + "," + folder.path(second);
  }

  TempFolder folder;
  Doubles x = {1, 2, 3, 4, 5, 6};
  std::vector<std::int64_t> y = {2, 0, 1};
};

TEST_F(Formats, AllHoldTheSameData) {
  DatasetOptions table;
  table.targets = {"label"};
  for (const auto& [spec, options] : std::vector<std::pair<std::string, DatasetOptions>>{
           {folder.path("xy.npz"), {}},
           {pair("x.npy", "y.npy"), {}},
           {pair("x.csv", "y.npy"), {}},
           {pair("images-idx3-ubyte", "labels-idx1-ubyte"), {}},
           {pair("images-idx3-ubyte.gz", "labels-idx1-ubyte.gz"), {}},
           {pair("images-idx3-ubyte", "y.npy"), {}},
           {folder.path("t.csv"), table},
           {folder.path("t.csv.gz"), table},
           {folder.path("unnamed"), table}}) {
    const Dataset data = load_dataset(spec, options);
    EXPECT_EQ(data.num_samples(), 3) << spec;
    EXPECT_EQ(data.num_features(), 2) << spec;
    EXPECT_EQ(data.num_targets(), 1) << spec;
    EXPECT_EQ(data.num_classes, 3) << spec;
    EXPECT_EQ(inputs(data), x) << spec;
    EXPECT_EQ(targets(data), (Doubles{2, 0, 1})) << spec;
    std::vector<std::int64_t> labels(3);
    copy_labels(data, Rows::range(0, 3), labels.data());
    EXPECT_EQ(labels, y) << spec;
    EXPECT_EQ(data.source, spec);
  }
}

TEST_F(Formats, ImagesStayBytesAndKeepTheirShape) {
  const Dataset data = load_dataset(pair("images-idx3-ubyte", "labels-idx1-ubyte"));
  EXPECT_EQ(data.x.type(), ElementType::u8);
  EXPECT_EQ(data.x.shape, (Shape{3, 1, 2}));
  EXPECT_EQ(data.num_bytes(), 6 + 3);
}

TEST_F(Formats, RowsByRangeAndByList) {
  const Dataset data = load_dataset(folder.path("xy.npz"));
  std::vector<float> two(4);
  copy_inputs(data, Rows::range(1, 2), two.data());
  EXPECT_EQ(two, (std::vector<float>{3, 4, 5, 6}));
  const std::vector<std::int64_t> list = {2, 0, 2};
  std::vector<float> three(6);
  copy_inputs(data, Rows(list), three.data());
  EXPECT_EQ(three, (std::vector<float>{5, 6, 1, 2, 5, 6}));
  std::vector<float> y_list(3);
  copy_targets(data, Rows(list), y_list.data());
  EXPECT_EQ(y_list, (std::vector<float>{1, 2, 1}));
  copy_inputs(data, Rows(std::span<const std::int64_t>{}), three.data());  // none: writes nothing
  EXPECT_EQ(three[0], 5);
}

TEST_F(Formats, FirstSamples) {
  DatasetOptions two{.targets = {"label"}, .num_samples = 2};
  for (const std::string& spec :
       {folder.path("t.csv"), folder.path("xy.npz"), pair("x.npy", "y.npy"),
        pair("images-idx3-ubyte.gz", "labels-idx1-ubyte.gz")}) {
    const Dataset data = load_dataset(spec, two);
    EXPECT_EQ(inputs(data), (Doubles{1, 2, 3, 4})) << spec;
    EXPECT_EQ(targets(data), (Doubles{2, 0})) << spec;
    DatasetOptions four{.targets = {"label"}, .num_samples = 4};
    expect_error([&] { load_dataset(spec, four); }, ErrorKind::shape,
                 {"3 samples", "4 were asked"});
  }
}

TEST_F(Formats, TablesTakeFeaturesAndTargetsByName) {
  const Dataset data =
      load_dataset(folder.path("t.csv"), {.targets = {"b", "a"}, .features = {"label"}});
  EXPECT_EQ(inputs(data), (Doubles{2, 0, 1}));
  EXPECT_EQ(targets(data), (Doubles{2, 1, 4, 3, 6, 5}));
  EXPECT_EQ(data.target_names, (std::vector<std::string>{"b", "a"}));
  EXPECT_EQ(data.num_classes, 0);
  expect_error([&] { load_dataset(folder.path("t.csv")); }, ErrorKind::usage, {"--target"});
  expect_error([&] { load_dataset(folder.path("t.csv"), {.targets = {"c"}}); }, ErrorKind::name,
               {"'c'", "'a', 'label', 'b'"});
  const Dataset inputs_only = load_dataset(folder.path("t.csv"), {.require_targets = false});
  EXPECT_EQ(inputs_only.num_features(), 3);
  EXPECT_FALSE(inputs_only.has_targets());
  EXPECT_EQ(inputs_only.num_targets(), 0);
}

TEST_F(Formats, LoadTable) {
  EXPECT_EQ(load_table(folder.path("t.csv")).column("b").values, (Doubles{2, 4, 6}));
  EXPECT_EQ(load_table(folder.path("t.csv"), 2).num_rows, 2);
  expect_error([&] { load_table(folder.path("t.csv"), 4); }, ErrorKind::shape,
               {"3 rows", "4 were"});
  write_npz(folder.path("columns.npz"), {{"u", {x.data(), {3}}}, {"v", {y.data(), {3}}}});
  EXPECT_EQ(load_table(folder.path("columns.npz")).column("v").values, (Doubles{2, 0, 1}));
  expect_error([&] { load_table(folder.path("xy.npz")); }, ErrorKind::shape, {"'x'", "no column"});
  expect_error([&] { load_table(folder.file("h.csv", "a,b\n")); }, ErrorKind::shape, {"no rows"});
}

TEST_F(Formats, RefusesWhatDoesNotFit) {
  write_npy(folder.path("two.npy"), {y.data(), {2}});
  expect_error([&] { load_dataset(pair("x.npy", "two.npy")); }, ErrorKind::shape,
               {"3 rows (shape (3, 2))", "2 (shape (2,))"});
  expect_error([&] { load_dataset(folder.path("x.npy")); }, ErrorKind::usage,
               {"targets are missing"});
  expect_error([&] { load_dataset(pair("xy.npz", "y.npy")); }, ErrorKind::data, {"3 arrays"});
  write_npz(folder.path("other.npz"), {{"x_train", {x.data(), {3, 2}}}});
  expect_error([&] { load_dataset(folder.path("other.npz")); }, ErrorKind::name,
               {"'x'", "'x_train'"});
  expect_error([&] { load_dataset(folder.path("none.csv")); }, ErrorKind::data, {"No such file"});
  expect_error([&] { load_dataset("a,b,c"); }, ErrorKind::usage, {"'a,b,c'", "FILE_X,FILE_Y"});
  expect_error([&] { load_dataset(","); }, ErrorKind::usage, {"FILE_X,FILE_Y"});
  expect_error([&] { load_dataset(folder.path("")); }, ErrorKind::data, {"directory"});
  expect_error([&] { load_dataset(folder.file("data.bin", std::string("\1\0\2\0\3", 5))); },
               ErrorKind::data, {"no known format"});
  expect_error([&] { load_dataset(folder.path("xy.npz"), {.num_samples = -1}); }, ErrorKind::usage,
               {"--samples -1"});
  expect_error([&] { load_dataset(folder.path("xy.npz"), {.scale = NAN}); }, ErrorKind::usage,
               {"--scale nan"});
  expect_error([&] { load_dataset(pair("x.npy", "y.npy"), {.max_bytes = 71}); },
               ErrorKind::resource, {"y.npy", "24 bytes", "23 bytes", "--samples"});
}

TEST_F(Formats, ZeroSamplesFeaturesAndScalars) {
  write_npy(folder.path("none.npy"), {x.data(), {0, 2}});
  write_npy(folder.path("narrow.npy"), {x.data(), {3, 0}});
  write_npy(folder.path("scalar.npy"), {x.data(), {}});
  expect_error([&] { load_dataset(pair("none.npy", "y.npy")); }, ErrorKind::shape, {"no samples"});
  expect_error([&] { load_dataset(pair("narrow.npy", "y.npy")); }, ErrorKind::shape,
               {"(3, 0)", "no features"});
  expect_error([&] { load_dataset(pair("scalar.npy", "y.npy")); }, ErrorKind::shape,
               {"one number"});
  expect_error([&] { load_dataset(pair("x.npy", "none.npy")); }, ErrorKind::shape, {"targets"});
  expect_error([&] { load_dataset(folder.file("h.csv", "a,b\n"), {.targets = {"b"}}); },
               ErrorKind::shape, {"no samples"});
}

TEST_F(Formats, NonFiniteNumbersAreNamed) {
  x[3] = NAN;
  write_npy(folder.path("nan.npy"), {x.data(), {3, 2}});
  expect_error([&] { load_dataset(pair("nan.npy", "y.npy")); }, ErrorKind::value,
               {"nan.npy", "row 1, column 1 of x", "nan"});
  const std::vector<float> bad = {0, 0, -HUGE_VALF};
  write_npy(folder.path("inf.npy"), {bad.data(), {3}});
  expect_error([&] { load_dataset(pair("x.npy", "inf.npy")); }, ErrorKind::value,
               {"inf.npy", "row 2, column 0 of y", "-inf"});
  expect_error([&] { load_dataset(folder.file("n.csv", "a,b\n1,2\n3,nan\n"), {.targets = {"a"}}); },
               ErrorKind::value, {"row 2 (line 3)", "column 'b'"});
}

TEST_F(Formats, LabelsOutOfRange) {
  EXPECT_EQ(load_dataset(folder.path("xy.npz"), {.num_classes = 10}).num_classes, 10);
  expect_error([&] { load_dataset(folder.path("xy.npz"), {.num_classes = 2}); }, ErrorKind::value,
               {"sample 0", "is 2", "0 to 1", "2 classes"});
  const std::vector<float> half = {0, 1, 1.5f};
  write_npy(folder.path("half.npy"), {half.data(), {3}});
  const Dataset regression = load_dataset(pair("x.npy", "half.npy"));
  EXPECT_EQ(regression.num_classes, 0);
  expect_error([&] { check_labels(regression, 2); }, ErrorKind::value, {"sample 2", "is 1.5"});
  const std::vector<std::int64_t> negative = {0, -1, 1};
  write_npy(folder.path("negative.npy"), {negative.data(), {3}});
  expect_error([&] { check_labels(load_dataset(pair("x.npy", "negative.npy")), 2); },
               ErrorKind::value, {"sample 1", "is -1"});
  expect_error([&] { check_labels(load_dataset(pair("x.npy", "x.npy")), 2); }, ErrorKind::shape,
               {"(3, 2)", "one integer"});
}

TEST_F(Formats, StandardizeGivesMeanZeroVarianceOne) {
  // Columns 1 3 5 and 2 4 6: mean 3 and 4, variance 8/3 (divided by N).
  const double z = 2 / std::sqrt(8.0 / 3);
  for (const std::string& spec : {folder.path("xy.npz"), pair("images-idx3-ubyte", "y.npy")}) {
    const Dataset data = load_dataset(spec, {.standardize = true});
    const Doubles result = inputs(data), expected = {-z, -z, 0, 0, z, z};
    for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(result[i], expected[i], 1e-15) << spec;
    EXPECT_TRUE(data.notes.empty());
    // Then x * scale, then x - shift.
    const Doubles mapped =
        inputs(load_dataset(spec, {.standardize = true, .scale = 10, .shift = 0.5}));
    for (std::size_t i = 0; i < 6; ++i) EXPECT_NEAR(mapped[i], 10 * expected[i] - 0.5, 1e-14);
    const Doubles scaled = inputs(load_dataset(spec, {.scale = 10, .shift = 0.5}));
    for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(scaled[i], 10 * x[i] - 0.5);
  }
}

TEST_F(Formats, StandardizeUsesOnlyTheSamplesTaken) {
  const Dataset data = load_dataset(folder.path("xy.npz"), {.num_samples = 2, .standardize = true});
  EXPECT_EQ(inputs(data), (Doubles{-1, -1, 1, 1}));
}

TEST_F(Formats, ConstantFeaturesBecomeExactlyZeroAndAreSaid) {
  // 0.1 summed ten times is not 1: the mean of a constant is not the constant.
  Doubles constant(20, 0.1);
  for (std::size_t i = 0; i < 10; ++i) constant[2 * i + 1] = static_cast<double>(i);
  const std::vector<std::int64_t> labels(10);
  write_npy(folder.path("c.npy"), {constant.data(), {10, 2}});
  write_npy(folder.path("l.npy"), {labels.data(), {10}});
  const Dataset data = load_dataset(pair("c.npy", "l.npy"), {.standardize = true});
  const Doubles z = inputs(data);
  const Doubles shifted =
      inputs(load_dataset(pair("c.npy", "l.npy"), {.standardize = true, .shift = 3}));
  for (std::size_t i = 0; i < 10; ++i) {
    EXPECT_EQ(z[2 * i], 0);
    EXPECT_EQ(shifted[2 * i], -3);
  }
  ASSERT_EQ(data.notes.size(), 1u);
  EXPECT_NE(data.notes[0].find("1 of 2 features"), std::string::npos) << data.notes[0];
}

TEST_F(Formats, StandardizeKeepsItsDigitsFarFromZero) {
  // Mean 1e9 and deviation 1: one pass of sums of squares would lose every digit.
  Doubles far = {1e9 - 1, 1e9 + 1, 1e9 - 1, 1e9 + 1};
  const std::vector<std::int64_t> labels(4);
  write_npy(folder.path("far.npy"), {far.data(), {4, 1}});
  write_npy(folder.path("l.npy"), {labels.data(), {4}});
  EXPECT_EQ(inputs(load_dataset(pair("far.npy", "l.npy"), {.standardize = true})),
            (Doubles{-1, 1, -1, 1}));
}

TEST(Pipes, AreReadIntoMemory) {
  const TempFolder folder;
  const std::string command =
      "mkfifo " + folder.path("p") + " && (printf 'a,b\\n1,2\\n' > " + folder.path("p") + " &)";
  ASSERT_EQ(std::system(command.c_str()), 0);
  EXPECT_EQ(load_table(folder.path("p")).column("b").values, Doubles{2});
}

}  // namespace
}  // namespace kappa::testing
