#include "data/csv.h"

#include <cmath>

#include "data/support.h"

namespace kappa::testing {
namespace {

using Doubles = std::vector<double>;

Table parse(std::string text, ReadLimits limits = {0, 1 << 20, {}}, const char* name = "t.csv") {
  const ByteSourcePtr source = content_source(memory_store(std::move(text), name));
  return read_csv(*source, limits);
}

std::vector<std::string> names(const Table& table) {
  std::vector<std::string> result;
  for (const Column& column : table.columns) result.push_back(column.name);
  return result;
}

TEST(Csv, ReadsAHeaderAndNumbers) {
  const Table table = parse("x,y\n1,-2.5\n+3e-2,0x\n");
  EXPECT_EQ(names(table), (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(table.num_rows, 2);
  EXPECT_EQ(table.column("x").values, (Doubles{1, 0.03}));
  EXPECT_EQ(table.columns[1].values[0], -2.5);
}

TEST(Csv, NamesColumnsWhereThereIsNoHeader) {
  const Table table = parse("1,2\n3,4\n");
  EXPECT_EQ(names(table), (std::vector<std::string>{"c0", "c1"}));
  EXPECT_EQ(table.column("c1").values, (Doubles{2, 4}));
}

TEST(Csv, TellsAHeaderFromData) {
  // Text and numbers in the first line, numbers below the text: names, some of which are years.
  EXPECT_EQ(parse("country,1990\n1,2\n").num_rows, 1);
  // Text below text: a category column in a table without names (autompg.csv).
  EXPECT_EQ(parse("8,chevrolet\n7,buick\n").num_rows, 2);
  EXPECT_EQ(parse("a,b\nc,d\n").num_rows, 1);
  EXPECT_EQ(parse("?,1\n2,3\n").num_rows, 2);
  EXPECT_EQ(parse("a,b\n").num_rows, 0);
  EXPECT_EQ(parse("1,2").num_rows, 1);
}

TEST(Csv, ReadsQuotesSeparatorsAndLineEnds) {
  const Table quoted = parse("\"a, \"\"b\"\"\",\"two\nlines\"\r\n\"1\", 2 \r\n\r\n3,4");
  EXPECT_EQ(names(quoted), (std::vector<std::string>{"a, \"b\"", "two\nlines"}));
  EXPECT_EQ(quoted.column("a, \"b\"").values, (Doubles{1, 3}));
  EXPECT_EQ(parse("a;b\n1;2\n").column("b").values, Doubles{2});
  EXPECT_EQ(parse("a\tb\n1\t2\n").column("b").values, Doubles{2});
  EXPECT_EQ(parse("\xef\xbb\xbf"
                  "a,b\n1,2\n")
                .column("a")
                .values,
            Doubles{1});
  EXPECT_EQ(parse(gzip("a,b\n1,2\n")).column("a").values, Doubles{1});
}

TEST(Csv, RoundsToTheNearestDouble) {
  const Table table =
      parse("x\n0.1\n6.320000000000000097e-03\n1e-400\n5e-324\n1.7976931348623157e308\n");
  EXPECT_EQ(table.column("x").values, (Doubles{0.1, 6.32e-3, 0, 5e-324, 1.7976931348623157e308}));
}

TEST(Csv, ALongTableCrossesBuffers) {
  std::string text = "i,square\n";
  for (int i = 0; i < 100000; ++i) {
    text += std::to_string(i) + "," + std::to_string(std::int64_t{i} * i) + "\n";
  }
  const Table table = parse(text, {0, 1 << 24, {}});
  ASSERT_EQ(table.num_rows, 100000);
  for (int i = 0; i < 100000; ++i) {
    ASSERT_EQ(table.columns[0].values[static_cast<std::size_t>(i)], i);
    ASSERT_EQ(table.columns[1].values[static_cast<std::size_t>(i)], 1.0 * i * i);
  }
}

TEST(Csv, AFaultNamesRowLineAndColumnOnceTheColumnIsUsed) {
  const Table table = parse("x,y,z,w\n1,2,near,inf\n\n3,,far,4\n5,?,near,1e999\n6,7,8,9\n");
  EXPECT_EQ(table.column("x").values, (Doubles{1, 3, 5, 6}));
  expect_error([&] { return table.column("y"); }, ErrorKind::value,
               {"t.csv", "row 2 (line 4)", "column 'y'", "missing", "2 of 4 rows", "fill it in"});
  expect_error([&] { return table.column("z"); }, ErrorKind::data,
               {"row 1 (line 2)", "'z'", "'near'", "3 of 4 rows", "0/1"});
  expect_error([&] { return table.column("w"); }, ErrorKind::value,
               {"row 1 (line 2)", "'w'", "not finite", "'inf'", "2 of 4 rows"});
  expect_error([&] { return table.column("v"); }, ErrorKind::name,
               {"t.csv", "'v'", "'x', 'y', 'z', 'w'"});
}

TEST(Csv, MissingValuesOfEverySpelling) {
  for (const char* missing : {"", "?", "NA", "nan", "NaN", "-nan", "null", "None", "N/A"}) {
    const Table table = parse(std::string("x,y\n1,1\n1,") + missing + "\n");
    expect_error([&] { return table.column("y"); }, ErrorKind::value,
                 {"row 2 (line 3)", "missing"});
  }
}

TEST(Csv, RefusesRaggedRowsAndOtherFiles) {
  expect_error([] { parse("a,b\n1,2\n1,2,3\n"); }, ErrorKind::data,
               {"t.csv", "row 2 (line 3)", "3 fields", "expected 2"});
  expect_error([] { parse("a,b\n1\n"); }, ErrorKind::data, {"row 1 (line 2)", "1 fields"});
  expect_error([] { parse("a,a\n1,2\n"); }, ErrorKind::data, {"'a'", "rename"});
  expect_error([] { parse("a,b\n1,\"2\n"); }, ErrorKind::data, {"line 2", "quote"});
  expect_error([] { parse(std::string("a,b\n1,\0\n", 8)); }, ErrorKind::data,
               {"line 2", "zero byte"});
  expect_error(
      [] {
        parse(
            "\xff\xfe"
            "a");
      },
      ErrorKind::data, {"UTF-16"});
  expect_error([] { parse(""); }, ErrorKind::data, {"empty"});
  expect_error([] { parse("\n\r\n  \n"); }, ErrorKind::data, {"empty"});
}

TEST(Csv, ReadsTheFirstRowsOnlyAndKeepsToTheBudget) {
  EXPECT_EQ(parse("x\n1\n2\nthree\n", {2, 1000, {}}).column("x").values, (Doubles{1, 2}));
  EXPECT_EQ(parse("1\n2\n3\n", {1, 1000, {}}).num_rows, 1);
  std::string rows = "x,y\n";
  for (int i = 0; i < 1000; ++i) rows += "1,2\n";
  expect_error(
      [&] {
        parse(rows, {0, 8000, {}});
      },
      ErrorKind::resource, {"t.csv", "row 501", "8.0 kB", "--samples"});
  // A bomb: what it inflates to counts.
  expect_error(
      [&] {
        parse(gzip(std::string(1 << 20, '1') + "\n" + rows), {0, 8000, {}});
      },
      ErrorKind::data, {"t.csv"});
}

TEST(Csv, SurvivesTruncationAndFlippedBits) {
  const std::string text = "\"a\",b\r\n1,\"2\"\n-3.5e2,nan\n";
  for (std::size_t length = 0; length <= text.size(); ++length) {
    try {
      parse(text.substr(0, length));
    } catch (const Error&) {
    }
  }
  expect_flips_survived(text, [](std::string bytes) { parse(std::move(bytes)); });
  expect_truncations_refused(gzip(text), [](std::string bytes) {
    parse(std::move(bytes), {0, 1 << 20, {}}, "t.csv.gz");
  });
}

}  // namespace
}  // namespace kappa::testing
