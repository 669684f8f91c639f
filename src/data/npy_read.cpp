#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

#include "data/elements.h"
#include "data/npy.h"
#include "kappa/error.h"

namespace kappa {
namespace {

struct Header {
  StoredElements elements;
  bool fortran_order = false;
  std::vector<std::int64_t> shape;
};

[[noreturn]] void fail(const ByteSource& source, const std::string& problem) {
  throw Error(ErrorKind::data, fmt::format("{}: npy header: {}; expected an array written by "
                                           "numpy.save",
                                           source.name(), problem));
}

/// Parses the Python dictionary of the header: three known keys, each once, any order.
class HeaderParser {
 public:
  HeaderParser(const ByteSource& source, std::string_view text) : source_(source), text_(text) {}

  Header parse() {
    expect('{');
    bool descr = false, order = false, shape = false;
    while (!accept('}')) {
      const std::string_view key = string_literal();
      expect(':');
      if (key == "descr" && !descr) {
        parse_descr();
        descr = true;
      } else if (key == "fortran_order" && !order) {
        parse_order();
        order = true;
      } else if (key == "shape" && !shape) {
        parse_shape();
        shape = true;
      } else {
        fail(source_, "unknown or repeated key " + quote(key));
      }
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_blanks();
    if (at_ != text_.size()) fail(source_, fmt::format("text follows at character {}", at_));
    if (!descr || !order || !shape) fail(source_, "descr, fortran_order or shape is missing");
    return header_;
  }

 private:
  void skip_blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n')) ++at_;
  }
  bool accept(char c) {
    skip_blanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!accept(c)) fail(source_, fmt::format("'{}' is missing at character {}", c, at_));
  }
  bool accept_word(std::string_view word) {
    skip_blanks();
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }

  std::string_view string_literal() {
    skip_blanks();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '\'' && quote != '"') {
      fail(source_, fmt::format("a quoted string is missing at character {}", at_));
    }
    const std::size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) fail(source_, "a string does not end");
    const std::string_view result = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return result;
  }

  void parse_descr() {
    skip_blanks();
    if (at_ < text_.size() && text_[at_] == '[') {
      throw Error(ErrorKind::type,
                  fmt::format("{}: is a structured array; expected numbers of one type: save its "
                              "fields as separate arrays",
                              source_.name()));
    }
    const std::string_view descr = string_literal();
    static constexpr std::string_view kKnown[] = {"f4", "f8", "i1", "i2", "i4",
                                                  "i8", "u1", "u2", "u4", "b1"};
    const bool ordered = !descr.empty() && std::string_view("<>|=").find(descr[0]) != descr.npos;
    const std::string_view name = ordered ? descr.substr(1) : descr;
    if (std::find(std::begin(kKnown), std::end(kKnown), name) == std::end(kKnown)) {
      throw Error(ErrorKind::type,
                  fmt::format("{}: elements of NumPy type {} cannot be read; expected f4 f8 i1 i2 "
                              "i4 i8 u1 u2 u4 or b1: save array.astype('f8')",
                              source_.name(), quote(descr)));
    }
    header_.elements = {name[0], name[1] - '0', ordered && descr[0] == '>'};
  }

  void parse_order() {
    if (accept_word("True")) {
      header_.fortran_order = true;
    } else if (!accept_word("False")) {
      fail(source_, "fortran_order is neither True nor False");
    }
  }

  void parse_shape() {
    constexpr std::size_t kMaxRank = 32;  // as numpy 1
    expect('(');
    while (!accept(')')) {
      skip_blanks();
      std::int64_t extent = 0;
      const char* first = text_.data() + at_;
      const auto [end, status] = std::from_chars(first, text_.data() + text_.size(), extent);
      if (status != std::errc() || extent < 0) {
        fail(source_, fmt::format("a size in the shape is not a number from 0 to 2^63 - 1, at "
                                  "character {}",
                                  at_));
      }
      at_ += static_cast<std::size_t>(end - first);
      header_.shape.push_back(extent);
      if (header_.shape.size() > kMaxRank) fail(source_, "more than 32 axes");
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
  }

  const ByteSource& source_;
  std::string_view text_;
  std::size_t at_ = 0;
  Header header_;
};

Header read_header(ByteSource& source) {
  unsigned char preamble[8];
  source.read_exactly(preamble, sizeof preamble, "the npy header");
  if (std::memcmp(preamble, "\x93NUMPY", 6) != 0) {
    fail(source, "the file does not begin with \\x93NUMPY");
  }
  const int version = preamble[6];
  if (version < 1 || version > 3) {
    fail(source, fmt::format("format version {} is unknown (1 to 3 are)", version));
  }
  unsigned char length_bytes[4] = {};
  source.read_exactly(length_bytes, version == 1 ? 2 : 4, "the npy header");
  const std::uint32_t length = length_bytes[0] | length_bytes[1] << 8 | length_bytes[2] << 16 |
                               static_cast<std::uint32_t>(length_bytes[3]) << 24;
  constexpr std::uint32_t kMaxLength = 1 << 20;  // a header of plain numbers has some 100 bytes
  if (length > kMaxLength || length > source.max_remaining()) {
    fail(source, fmt::format("it declares {} bytes of itself", length));
  }
  std::string text(length, '\0');
  source.read_exactly(text.data(), text.size(), "the npy header");
  return HeaderParser(source, text).parse();
}

/// Reorders a column-major array; `shape` is the logical one.
template <class T>
std::vector<T> to_row_major(const std::vector<T>& columns, std::span<const std::int64_t> shape) {
  std::vector<T> rows(columns.size());
  std::vector<std::int64_t> stride(shape.size(), 1), index(shape.size(), 0);
  for (std::size_t axis = 1; axis < shape.size(); ++axis) {
    stride[axis] = stride[axis - 1] * shape[axis - 1];
  }
  std::int64_t from = 0;
  for (T& value : rows) {
    value = columns[static_cast<std::size_t>(from)];
    for (std::size_t axis = shape.size(); axis-- > 0;) {  // the odometer of the row-major order
      from += stride[axis];
      if (++index[axis] < shape[axis]) break;
      from -= stride[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return rows;
}

}  // namespace

StoredArray read_npy(ByteSource& source, const ReadLimits& limits) {
  Header header = read_header(source);
  std::vector<std::int64_t>& shape = header.shape;
  const bool cut = limits.max_rows > 0 && !shape.empty() && shape[0] > limits.max_rows;
  if (!header.fortran_order || shape.size() < 2) {
    if (cut) shape[0] = limits.max_rows;
    StoredArray tensor = read_elements(source, header.elements, std::move(shape), limits);
    if (!cut) source.expect_end();
    return tensor;
  }
  // In Fortran order the first rows are spread over the file, so all of it is read.
  StoredArray tensor = read_elements(source, header.elements, std::move(shape), limits);
  source.expect_end();
  std::visit([&](auto& values) { values = to_row_major(values, tensor.shape); }, tensor.values);
  if (cut) {
    tensor.shape[0] = limits.max_rows;
    const auto kept = static_cast<std::size_t>(tensor.size());
    std::visit([&](auto& values) { values.resize(kept); }, tensor.values);
  }
  return tensor;
}

StoredArray read_npy(const std::string& path, const ReadLimits& limits) {
  const ByteSourcePtr source = content_source(open_file(path, limits.max_bytes));
  return read_npy(*source, limits);
}

}  // namespace kappa
