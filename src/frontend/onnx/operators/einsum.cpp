#include <algorithm>
#include <map>

#include "frontend/onnx/operator.h"
#include "program/type.h"

namespace kappa {
namespace {

// An operand with its axes by label. Axes of an ellipsis have the labels -1, -2, ... from the last.
struct Term {
  Array x;
  std::vector<int> labels;
};

bool holds(const std::vector<int>& labels, int label) {
  return std::find(labels.begin(), labels.end(), label) != labels.end();
}

std::vector<int> labels_of(OnnxCall& call, const std::string& text, std::int64_t rank) {
  const std::size_t dots = text.find("...");
  const auto letters = static_cast<std::int64_t>(text.size() - (dots == std::string::npos ? 0 : 3));
  if (rank >= 0 && (letters > rank || (dots == std::string::npos && letters != rank))) {
    call.fail("the term '" + text + "' for an operand of " + std::to_string(rank) + " axes");
  }
  std::vector<int> labels;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == dots) {
      for (std::int64_t k = rank - letters; k > 0; --k) labels.push_back(static_cast<int>(-k));
      i += 2;
    } else {
      labels.push_back(text[i]);
    }
  }
  return labels;
}

// Axes that share a label become one: their diagonal.
Term diagonal(Term term) {
  for (std::size_t i = 0; i < term.labels.size(); ++i) {
    for (std::size_t j = i + 1; j < term.labels.size(); ++j) {
      if (term.labels[i] != term.labels[j]) continue;
      const std::int64_t extent = term.x.shape()[i];
      Shape one(term.labels.size(), 1), other = one;
      one[i] = other[j] = extent;
      const Array place = iota(term.x, extent, DType::i64);
      const Array on = equal(reshape(place, one), reshape(place, other));
      term.x = sum(where(on, term.x, full(term.x, 0, term.x.shape(), term.x.dtype())),
                   {static_cast<std::int64_t>(j)});
      term.labels.erase(term.labels.begin() + static_cast<std::ptrdiff_t>(j));
      --j;
    }
  }
  return term;
}

Term summed(const Term& term, const std::vector<int>& kept) {
  Dims axes;
  std::vector<int> labels;
  for (std::size_t i = 0; i < term.labels.size(); ++i) {
    if (holds(kept, term.labels[i])) {
      labels.push_back(term.labels[i]);
    } else {
      axes.push_back(static_cast<std::int64_t>(i));
    }
  }
  return axes.empty() ? term : Term{sum(term.x, axes), labels};
}

Array ordered(const Term& term, const std::vector<int>& labels) {
  Dims order;
  for (const int label : labels) {
    order.push_back(std::find(term.labels.begin(), term.labels.end(), label) - term.labels.begin());
  }
  return transpose(term.x, order);
}

// The product of two terms with what neither the rest nor the result names summed: one product of
// matrices (shared, left, summed) (shared, summed, right).
Term product(OnnxCall& call, const Term& a, const Term& b, const std::vector<int>& needed) {
  const Term left = summed(a, [&] {
    std::vector<int> kept = needed;
    kept.insert(kept.end(), b.labels.begin(), b.labels.end());
    return kept;
  }());
  const Term right = summed(b, [&] {
    std::vector<int> kept = needed;
    kept.insert(kept.end(), left.labels.begin(), left.labels.end());
    return kept;
  }());
  std::map<int, std::int64_t> extent;
  for (const Term* term : {&left, &right}) {
    for (std::size_t i = 0; i < term->labels.size(); ++i) {
      auto& e = extent.emplace(term->labels[i], 1).first->second;
      if (e != 1 && term->x.shape()[i] != 1 && e != term->x.shape()[i]) {
        call.fail("axes of one label differ in extent");
      }
      e = std::max(e, term->x.shape()[i]);
    }
  }
  std::vector<int> shared, only_left, only_right, inner;
  for (const int label : left.labels) {
    if (!holds(right.labels, label)) {
      only_left.push_back(label);
    } else if (holds(needed, label)) {
      shared.push_back(label);
    } else {
      inner.push_back(label);
    }
  }
  for (const int label : right.labels) {
    if (!holds(left.labels, label)) only_right.push_back(label);
  }
  const auto arranged = [&](const Term& term, const std::vector<int>& second,
                            const std::vector<int>& third) {
    std::vector<int> labels = shared;
    labels.insert(labels.end(), second.begin(), second.end());
    labels.insert(labels.end(), third.begin(), third.end());
    Shape full_shape;
    for (const int label : labels) full_shape.push_back(extent[label]);
    const auto size = [&](const std::vector<int>& part) {
      Shape s;
      for (const int label : part) s.push_back(extent[label]);
      return num_elements(s);
    };
    return reshape(broadcast_to(ordered(term, labels), full_shape),
                   {size(shared), size(second), size(third)});
  };
  Term result{matmul(arranged(left, only_left, inner), arranged(right, inner, only_right)), shared};
  result.labels.insert(result.labels.end(), only_left.begin(), only_left.end());
  result.labels.insert(result.labels.end(), only_right.begin(), only_right.end());
  Shape shape;
  for (const int label : result.labels) shape.push_back(extent[label]);
  result.x = reshape(result.x, shape);
  return result;
}

}  // namespace

KAPPA_ONNX_OPERATOR(Einsum) {
  return {.first = 12, .build = [](OnnxCall& call) {
            std::string equation = call.text("equation");
            std::erase(equation, ' ');
            const std::size_t arrow = equation.find("->");
            std::vector<std::string> texts{""};
            for (const char c : equation.substr(0, arrow)) {
              if (c == ',') {
                texts.emplace_back();
              } else {
                texts.back() += c;
              }
            }
            const std::vector<Array> inputs = call.inputs();
            if (texts.size() != inputs.size()) call.fail("as many terms as operands are needed");
            std::vector<Term> terms;
            std::map<int, int> times;
            for (std::size_t i = 0; i < inputs.size(); ++i) {
              const std::vector<int> labels = labels_of(call, texts[i], inputs[i].rank());
              for (const int label : labels) ++times[label];
              terms.push_back(diagonal({inputs[i], labels}));
            }
            std::vector<int> result;
            std::int64_t dots = 0;
            for (const auto& [label, count] : times) {
              if (label < 0) {
                dots = std::max<std::int64_t>(dots, -label);
                if (arrow == std::string::npos) result.push_back(label);
              }
            }
            if (arrow == std::string::npos) {  // those that occur once, in the alphabet's order
              for (const auto& [label, count] : times) {
                if (label > 0 && count == 1) result.push_back(label);
              }
            } else {
              const std::string text = equation.substr(arrow + 2);
              const bool has_dots = text.find("...") != std::string::npos;
              result = labels_of(call, text,
                                 has_dots ? static_cast<std::int64_t>(text.size()) - 3 + dots
                                          : static_cast<std::int64_t>(text.size()));
              for (const int label : result) {
                if (!times.contains(label)) call.fail("the result names an axis that no term has");
              }
            }
            Term value = terms[0];
            for (std::size_t i = 1; i < terms.size(); ++i) {
              std::vector<int> needed = result;
              for (std::size_t j = i + 1; j < terms.size(); ++j) {
                needed.insert(needed.end(), terms[j].labels.begin(), terms[j].labels.end());
              }
              value = product(call, value, terms[i], needed);
            }
            return std::vector<Array>{ordered(summed(value, result), result)};
          }};
}

}  // namespace kappa
