#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace kappa {

struct TextStyle {
  bool color = false;    ///< ANSI colours
  bool symbols = false;  ///< block characters; else ASCII
};

/// A report of labelled paragraphs, at most 80 columns wide:
///
///   Label            content
///                    content
///                    -> what it means for the next step
class Text {
 public:
  explicit Text(TextStyle style) : style_(style) {}

  [[nodiscard]] const TextStyle& style() const { return style_; }
  /// A line (wrapped) in bold across the whole width.
  void title(const std::string& line);
  /// The next line is the first of a paragraph with this label.
  void label(const std::string& name);
  /// A paragraph of words, wrapped.
  void words(const std::string& paragraph);
  /// A line as it is: tables and matrices.
  void line(const std::string& content);
  /// What an answer means for the next step.
  void meaning(const std::string& sentence);
  void gap() { gap_ = true; }

  [[nodiscard]] const std::string& str() const { return out_; }
  /// Columns that `line` has.
  static constexpr std::size_t content_width = 63;

 private:
  void put(const std::string& content, const char* escape);

  TextStyle style_;
  std::string out_, label_;
  bool gap_ = false;
};

/// Text broken at spaces into lines of at most `width` columns; longer words are cut.
std::vector<std::string> wrapped(const std::string& text, std::size_t width);
/// "1 step", "5 steps", "12,345 steps"
std::string counted(long long count, std::string_view noun);
/// A value of the function, with ten significant digits.
std::string value_text(double value);
/// A number with six significant digits, e.g. "23.633", "1.32770e-03" only where needed.
std::string number(double value);
/// As many digits as the error bound leaves, at least 2 and at most 9.
std::string number_within(double value, double error_bound);
/// "(1, -2.5, 3)"
std::string vector_text(const std::vector<double>& values);
/// The same with three digits each.
std::string direction_text(const std::vector<double>& values);
/// "47 MB"
std::string memory_text(double bytes);
/// "0.4 ms", "12 s", "3 min 20 s"
std::string time_text(double seconds);
/// Lines of a matrix with its columns aligned.
std::vector<std::string> matrix_text(const std::vector<double>& entries, std::size_t num_columns);

}  // namespace kappa
