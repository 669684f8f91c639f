// Public data sets against facts published with them, not against our own output.

#include <cmath>

#include "data/dataset.h"
#include "data/support.h"

namespace kappa::testing {
namespace {

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

struct TabularFact {
  const char* file;
  std::int64_t rows, columns;
  const char* target;  // the last column unless named
  std::int64_t classes;
};

TEST(RealData, TabularFilesHaveTheirPublishedSizes) {
  const std::string folder = shared_data();
  if (folder.empty()) GTEST_SKIP() << "KAPPA_TEST_DATA is not set";
  for (const TabularFact& fact : {TabularFact{"iris.csv.gz", 150, 5, "species", 3},
                                  TabularFact{"wine.csv", 178, 14, "c13", 3},
                                  TabularFact{"breast_cancer_wdbc.csv", 569, 31, "target", 2},
                                  TabularFact{"digits8x8.csv", 1797, 65, nullptr, 10},
                                  TabularFact{"boston_housing.csv", 506, 14, nullptr, 0},
                                  TabularFact{"winequality-red.csv.gz", 1599, 12, "quality", 9}}) {
    const std::string path = folder + "tabular/" + fact.file;
    const Table table = load_table(path);
    EXPECT_EQ(table.num_rows, fact.rows) << fact.file;
    ASSERT_EQ(table.columns.size(), static_cast<std::size_t>(fact.columns)) << fact.file;
    const std::string target = fact.target ? fact.target : table.columns.back().name;
    const Dataset data = load_dataset(path, {.targets = {target}, .standardize = true});
    EXPECT_EQ(data.num_classes, fact.classes) << fact.file;
    EXPECT_EQ(data.num_features(), fact.columns - 1) << fact.file;
    std::vector<double> z(static_cast<std::size_t>(data.x.size()));
    copy_inputs(data, Rows::range(0, fact.rows), z.data());
    for (std::int64_t j = 0; j < data.num_features(); ++j) {
      double sum = 0, squares = 0;
      for (std::int64_t i = 0; i < fact.rows; ++i) {
        const double value = z[static_cast<std::size_t>(i * data.num_features() + j)];
        sum += value;
        squares += value * value;
      }
      const auto n = static_cast<double>(fact.rows);
      EXPECT_NEAR(sum / n, 0, 1e-12) << fact.file << " feature " << j;
      const double variance = squares > 0 ? 1 : 0;  // 0 for constant features
      EXPECT_NEAR(squares / n, variance, 1e-12) << fact.file << " feature " << j;
    }
  }
}

TEST(RealData, IrisMeans) {
  const std::string folder = shared_data();
  if (folder.empty()) GTEST_SKIP() << "KAPPA_TEST_DATA is not set";
  const Table table = load_table(folder + "tabular/iris.csv.gz");
  EXPECT_NEAR(mean(table.column("sepal_length").values), 5.843333, 1e-6);
  EXPECT_NEAR(mean(table.column("petal_length").values), 3.758, 1e-3);
}

TEST(RealData, DiabetesIsTwoTablesOfNormalisedInputs) {
  const std::string folder = shared_data();
  if (folder.empty()) GTEST_SKIP() << "KAPPA_TEST_DATA is not set";
  const Dataset data = load_dataset(folder + "tabular/diabetes_data.csv.gz," + folder +
                                    "tabular/diabetes_target.csv.gz");
  EXPECT_EQ(data.num_samples(), 442);
  EXPECT_EQ(data.num_features(), 10);
  EXPECT_NEAR(mean(data.y.to_doubles()), 152.133484, 1e-6);
  double squares = 0;  // every column is scaled to length 1
  for (std::int64_t i = 0; i < 442; ++i) squares += data.x[10 * i] * data.x[10 * i];
  EXPECT_NEAR(squares, 1, 1e-12);
}

TEST(RealData, FaultsOfTablesStopOnlyThoseWhoUseThem) {
  const std::string folder = shared_data();
  if (folder.empty()) GTEST_SKIP() << "KAPPA_TEST_DATA is not set";
  const Table houses = load_table(folder + "tabular/california_housing.csv");
  EXPECT_EQ(houses.num_rows, 20640);
  EXPECT_NEAR(mean(houses.column("median_house_value").values), 206855.8169, 1e-4);
  expect_error([&] { return houses.column("total_bedrooms"); }, ErrorKind::value,
               {"207 of 20640 rows"});
  expect_error([&] { return houses.column("ocean_proximity"); }, ErrorKind::data,
               {"row 1 (line 2)", "'NEAR BAY'"});
  expect_error([&] { load_dataset(houses.source, {.targets = {"median_house_value"}}); },
               ErrorKind::value, {"total_bedrooms"});
  const Dataset two = load_dataset(houses.source, {.targets = {"median_house_value"},
                                                   .features = {"median_income", "latitude"}});
  EXPECT_EQ(two.num_features(), 2);

  const Table cars = load_table(folder + "tabular/autompg.csv.gz");
  EXPECT_EQ(cars.num_rows, 392);  // of 398, those with a horsepower
  ASSERT_EQ(cars.columns.size(), 9u);
  expect_error([&] { return cars.column("c7"); }, ErrorKind::data, {"'chevrolet chevelle malibu'"});
}

void expect_image_facts(const std::string& spec, std::int64_t samples, double pixel_mean,
                        double tolerance) {
  const Dataset data = load_dataset(spec, {.scale = 1.0 / 255});
  EXPECT_EQ(data.x.shape, (std::vector<std::int64_t>{samples, 28, 28}));
  EXPECT_EQ(data.x.type(), ElementType::u8);
  EXPECT_EQ(data.num_classes, 10);
  EXPECT_EQ(data.num_bytes(), samples * 785);
  double sum = 0;
  std::vector<float> rows(1000 * 784);
  for (std::int64_t first = 0; first < samples; first += 1000) {
    copy_inputs(data, Rows::range(first, 1000), rows.data());
    for (const float value : rows) sum += value;
  }
  EXPECT_NEAR(sum / static_cast<double>(data.x.size()), pixel_mean, tolerance);
}

TEST(RealData, FashionMnist) {
  if (!std::filesystem::exists("/usr/share/datasets/fashion-mnist")) {
    expect_error([] { load_dataset("fashion-mnist"); }, ErrorKind::data,
                 {"apt install dataset-fashion-mnist"});
    GTEST_SKIP() << "dataset-fashion-mnist is not installed";
  }
  expect_image_facts("fashion-mnist", 60000, 0.2860, 5e-5);
  const Dataset test = load_dataset("fashion-mnist:test");
  std::vector<std::int64_t> count(10), labels(10000);
  copy_labels(test, Rows::range(0, 10000), labels.data());
  for (const std::int64_t label : labels) ++count[static_cast<std::size_t>(label)];
  EXPECT_EQ(count, std::vector<std::int64_t>(10, 1000));
}

TEST(RealData, Mnist) {
  const std::string folder = shared_data();
  if (folder.empty()) GTEST_SKIP() << "KAPPA_TEST_DATA is not set";
  expect_image_facts(
      folder + "mnist/train-images-idx3-ubyte.gz," + folder + "mnist/train-labels-idx1-ubyte.gz",
      60000, 0.1307, 5e-5);
}

}  // namespace
}  // namespace kappa::testing
