#include "frontend/formula_lexer.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <string>

#include "frontend/formula.h"

namespace kappa {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

// What people paste from papers, and what to write for it.
constexpr std::array<std::array<std::string_view, 2>, 9> lookalikes{{
    {"−", "-"},
    {"×", "*"},
    {"·", "*"},
    {"÷", "/"},
    {"²", "^2"},
    {"³", "^3"},
    {"√", "sqrt(...)"},
    {"π", "pi"},
    {"≤", "<="},
}};

class Lexer {
 public:
  explicit Lexer(std::string_view text) : text_(text) {}

  std::vector<FormulaToken> run() {
    bool spaced = false;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (c == '\n' && depth_ == 0) {
        push(FormulaToken::Kind::separator, 1, spaced);
      } else if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
        ++at_;
        spaced = true;
        continue;
      } else if (c == '#') {
        while (at_ < text_.size() && text_[at_] != '\n') ++at_;
        continue;
      } else if (c == ';') {
        push(FormulaToken::Kind::separator, 1, spaced);
      } else if (is_digit(c) || (c == '.' && is_digit(peek(1)))) {
        number(spaced);
      } else if (is_letter(c)) {
        std::size_t length = 1;
        while (is_letter(peek(length)) || is_digit(peek(length))) ++length;
        push(FormulaToken::Kind::name, length, spaced);
      } else {
        symbol(spaced);
      }
      spaced = false;
    }
    push(FormulaToken::Kind::end, 0, spaced);
    return std::move(tokens_);
  }

 private:
  [[nodiscard]] char peek(std::size_t ahead) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }

  void push(FormulaToken::Kind kind, std::size_t length, bool spaced) {
    tokens_.push_back({kind, at_, text_.substr(at_, length), 0, spaced});
    at_ += length;
  }

  void number(bool spaced) {
    std::size_t length = 0;
    while (is_digit(peek(length))) ++length;
    if (peek(length) == '.') {
      ++length;
      while (is_digit(peek(length))) ++length;
    }
    bool negative_exponent = false;
    if (peek(length) == 'e' || peek(length) == 'E') {
      const bool sign = peek(length + 1) == '+' || peek(length + 1) == '-';
      if (is_digit(peek(length + 1 + sign))) {
        negative_exponent = peek(length + 1) == '-';
        length += 1 + sign;
        while (is_digit(peek(length))) ++length;
      }
    }
    const std::size_t start = at_;
    push(FormulaToken::Kind::number, length, spaced);
    FormulaToken& token = tokens_.back();
    const auto [end, status] =
        std::from_chars(token.text.data(), token.text.data() + length, token.number);
    if (status == std::errc::result_out_of_range) {
      if (!negative_exponent && token.text[0] != '0' && token.text[0] != '.') {
        throw FormulaError(ErrorKind::parse, text_, start,
                           "the number is larger than the largest double, 1.8e308,");
      }
      token.number = 0;  // below the smallest double
    }
  }

  void symbol(bool spaced) {
    for (const std::string_view pair : {"**", "<=", ">=", "==", "!="}) {
      if (text_.substr(at_, 2) == pair) {
        push(FormulaToken::Kind::symbol, 2, spaced);
        if (pair == "**") tokens_.back().text = "^";
        return;
      }
    }
    constexpr std::string_view single = "+-*/^@()[],:<>=.";
    const char c = text_[at_];
    if (single.find(c) == std::string_view::npos) refuse();
    if (c == '(' || c == '[') ++depth_;
    if ((c == ')' || c == ']') && depth_ > 0) --depth_;
    push(FormulaToken::Kind::symbol, 1, spaced);
  }

  [[noreturn]] void refuse() const {
    for (const auto& [seen, meant] : lookalikes) {
      if (text_.substr(at_, seen.size()) == seen) {
        throw FormulaError(ErrorKind::parse, text_, at_, fmt::format("unexpected '{}'", seen),
                           fmt::format("write {}", meant));
      }
    }
    const auto c = static_cast<unsigned char>(text_[at_]);
    const bool plain = c >= 0x20 && c < 0x7f;
    throw FormulaError(ErrorKind::parse, text_, at_,
                       plain ? fmt::format("unexpected character '{}'", text_[at_])
                             : fmt::format("unexpected byte 0x{:02x}", c));
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  std::vector<FormulaToken> tokens_;
};

}  // namespace

std::vector<FormulaToken> tokenize_formula(std::string_view text) { return Lexer(text).run(); }

}  // namespace kappa
