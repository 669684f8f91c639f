#include <fmt/format.h>

#include <algorithm>

#include "base/blas.h"
#include "kappa/error.h"
#include "primitives/axes.h"

namespace kappa {

const Primitive& kappa_primitive_matmul();
const Primitive& kappa_primitive_transpose();

namespace {

// Extents of one call: batch axes, then rows x inner times inner x columns.
struct Product {
  Shape batch;              // broadcast of both operands' leading axes
  Dims stride_a, stride_b;  // elements between neighbours along each batch axis, 0 where repeated
  GemmShape gemm;
};

Shape batch_axes(const Shape& shape) { return {shape.begin(), shape.end() - 2}; }

Dims batch_strides(const Shape& shape, const Shape& batch) {
  const Dims strides = contiguous_strides(shape);
  Dims result(batch.size(), 0);
  for (std::size_t i = 0; i + 2 < shape.size(); ++i) {
    if (shape[i] != 1) result[batch.size() - (shape.size() - 2) + i] = strides[i];
  }
  return result;
}

Product product_of(const Attributes& attributes, std::span<const Type> operands) {
  const Shape& a = operands[0].shape;
  const Shape& b = operands[1].shape;
  for (const Type& operand : operands) {
    refuse_boolean("matmul", operand);
    if (operand.shape.size() < 2) {
      shape_error("matmul", fmt::format("operand {} is {}; expected at least two axes",
                                        &operand - operands.data(), to_string(operand)));
    }
  }
  if (operands[0].dtype != operands[1].dtype) {
    throw Error(ErrorKind::type, fmt::format("[matmul] {} by {}; dtypes must agree",
                                             to_string(operands[0]), to_string(operands[1])));
  }
  Product product;
  GemmShape& g = product.gemm;
  g.transpose_a = attributes.integer("transpose_a") != 0;
  g.transpose_b = attributes.integer("transpose_b") != 0;
  g.rows = a[a.size() - (g.transpose_a ? 1 : 2)];
  g.inner = a[a.size() - (g.transpose_a ? 2 : 1)];
  g.columns = b[b.size() - (g.transpose_b ? 2 : 1)];
  const std::int64_t inner_b = b[b.size() - (g.transpose_b ? 1 : 2)];
  if (g.inner != inner_b) {
    shape_error("matmul",
                fmt::format("{}{} by {}{}: inner extents {} and {} differ", to_string(operands[0]),
                            g.transpose_a ? " transposed" : "", to_string(operands[1]),
                            g.transpose_b ? " transposed" : "", g.inner, inner_b));
  }
  product.batch = broadcast_shapes(batch_axes(a), batch_axes(b), "matmul");
  product.stride_a = batch_strides(a, product.batch);
  product.stride_b = batch_strides(b, product.batch);
  return product;
}

void multiply(const GemmShape& shape, const std::int64_t* a, std::int64_t lda,
              const std::int64_t* b, std::int64_t ldb, std::int64_t beta, std::int64_t* c,
              std::int64_t ldc) {
  for (std::int64_t i = 0; i < shape.rows; ++i) {
    for (std::int64_t j = 0; j < shape.columns; ++j) {
      std::int64_t total = 0;
      for (std::int64_t k = 0; k < shape.inner; ++k) {
        total += a[shape.transpose_a ? k * lda + i : i * lda + k] *
                 b[shape.transpose_b ? j * ldb + k : k * ldb + j];
      }
      c[i * ldc + j] = beta * c[i * ldc + j] + total;
    }
  }
}
template <class T>
void multiply(const GemmShape& shape, const T* a, std::int64_t lda, const T* b, std::int64_t ldb,
              T beta, T* c, std::int64_t ldc) {
  gemm(shape, a, lda, b, ldb, beta, c, ldc);
}

template <class T>
void run_typed(const KernelCall& call) {
  const Product product = product_of(call.attributes, call.input_types);
  const GemmShape& shape = product.gemm;
  const std::int64_t lda = std::max<std::int64_t>(1, call.input_types[0].shape.back());
  const std::int64_t ldb = std::max<std::int64_t>(1, call.input_types[1].shape.back());
  const std::int64_t ldc = std::max<std::int64_t>(1, shape.columns);
  T* c = static_cast<T*>(call.output);
  const auto walk = [&](const auto& self, std::size_t axis, const T* a, const T* b) -> void {
    if (axis == product.batch.size()) {
      multiply(shape, a, lda, b, ldb, call.accumulate ? T{1} : T{0}, c, ldc);
      c += shape.rows * shape.columns;
      return;
    }
    for (std::int64_t i = 0; i < product.batch[axis]; ++i) {
      self(self, axis + 1, a + i * product.stride_a[axis], b + i * product.stride_b[axis]);
    }
  };
  walk(walk, 0, static_cast<const T*>(call.inputs[0]), static_cast<const T*>(call.inputs[1]));
}

Array product(const Array& a, const Array& b, bool transpose_a, bool transpose_b) {
  return apply(
      kappa_primitive_matmul(),
      {{"transpose_a", std::int64_t{transpose_a}}, {"transpose_b", std::int64_t{transpose_b}}},
      {a, b});
}

// Sums over the batch axes along which the operand was repeated.
Array sum_to(const Array& cotangent, const Shape& shape) {
  const std::size_t added = cotangent.shape().size() - shape.size();
  Dims axes;
  for (std::size_t i = 0; i + 2 < cotangent.shape().size(); ++i) {
    if (i < added || (shape[i - added] == 1 && cotangent.shape()[i] != 1)) {
      axes.push_back(static_cast<std::int64_t>(i));
    }
  }
  return reshape(axes.empty() ? cotangent : sum(cotangent, axes), shape);
}

Array transpose_matmul(const Call& call, int index, const Array& cotangent) {
  const bool ta = call.attributes.integer("transpose_a") != 0;
  const bool tb = call.attributes.integer("transpose_b") != 0;
  const Array& a = call.operands[0];
  const Array& b = call.operands[1];
  if (index == 0) {
    return sum_to(ta ? product(b, cotangent, tb, true) : product(cotangent, b, false, !tb),
                  a.shape());
  }
  return sum_to(tb ? product(cotangent, a, true, ta) : product(a, cotangent, !ta, false),
                b.shape());
}

// Axes of extent 1 behind the new leading one keep the others aligned at the last.
Array align_batch(const Array& x, std::size_t rank, std::int64_t extent) {
  Shape shape(rank, 1);
  shape[0] = extent;
  std::copy_backward(x.shape().begin() + 1, x.shape().end(), shape.end());
  return reshape(x, shape);
}

Array batch_matmul(const Call& call, const std::vector<bool>& batched, std::int64_t extent) {
  Array operands[2];
  std::size_t rank = 0;
  for (std::size_t i = 0; i < 2; ++i) {
    rank = std::max(rank, call.operands[i].shape().size() + (batched[i] ? 0 : 1));
  }
  for (std::size_t i = 0; i < 2; ++i) {
    operands[i] = batched[i] ? align_batch(call.operands[i], rank, extent) : call.operands[i];
  }
  return product(operands[0], operands[1], call.attributes.integer("transpose_a") != 0,
                 call.attributes.integer("transpose_b") != 0);
}

// Whether x is another array with its last two axes exchanged.
bool is_matrix_transpose(const Array& x) {
  if (!is_call(x, kappa_primitive_transpose())) return false;
  const Dims& permutation = x.node().attributes.dims("permutation");
  const std::size_t rank = permutation.size();
  for (std::size_t i = 0; i + 2 < rank; ++i) {
    if (permutation[i] != static_cast<std::int64_t>(i)) return false;
  }
  return rank >= 2 && permutation[rank - 2] == static_cast<std::int64_t>(rank) - 1;
}

Array simplify(const Call& call) {
  const Array& a = call.operands[0];
  const Array& b = call.operands[1];
  const bool ta = call.attributes.integer("transpose_a") != 0;
  const bool tb = call.attributes.integer("transpose_b") != 0;
  if (is_matrix_transpose(a)) return product(operand_of(a), b, !ta, tb);
  if (is_matrix_transpose(b)) return product(a, operand_of(b), ta, !tb);

  const Type types[] = {a.node().type, b.node().type};
  const GemmShape shape = product_of(call.attributes, types).gemm;
  if (shape.inner == 1) {  // outer product: elementwise work that fuses with its neighbours
    const auto as_matrix = [](const Array& x, std::int64_t rows, std::int64_t columns) {
      Shape extents = batch_axes(x.shape());
      extents.push_back(rows);
      extents.push_back(columns);
      return reshape(x, extents);
    };
    return as_matrix(a, shape.rows, 1) * as_matrix(b, 1, shape.columns);
  }
  // One matrix for all of a batch: the batch becomes rows of one larger product.
  if (!ta && a.rank() > 2 && b.rank() == 2) {
    const std::int64_t rows = a.size() / std::max<std::int64_t>(1, shape.inner);
    Shape result = a.shape();
    result.back() = shape.columns;
    if (a.size() == 0) return {};
    return reshape(product(reshape(a, {rows, shape.inner}), b, false, tb), result);
  }
  // A single row or column has the same elements transposed.
  if (ta && a.shape()[a.shape().size() - 1] == 1) {
    Shape row = a.shape();
    std::swap(row[row.size() - 1], row[row.size() - 2]);
    return product(reshape(a, row), b, false, tb);
  }
  if (tb && b.shape()[b.shape().size() - 2] == 1) {
    Shape column = b.shape();
    std::swap(column[column.size() - 1], column[column.size() - 2]);
    return product(a, reshape(b, column), ta, false);
  }
  return {};
}

// Entry (i, j) depends on row i of the left operand and column j of the right one.
std::optional<ElementGroups> lines(const SparsityCall& call, int index) {
  const bool left = index == 0;
  const Shape& from = call.operands[left ? 0 : 1].shape;
  const bool turned = call.attributes.integer(left ? "transpose_a" : "transpose_b") != 0;
  const std::size_t rank = from.size(), result_rank = call.result.shape.size();
  const std::size_t summed = rank - (left != turned ? 1 : 2);
  Dims strides = contiguous_strides(keep_axes(from, {static_cast<std::int64_t>(summed)}));
  strides[summed] = 0;
  Dims result_strides(result_rank, 0);
  for (std::size_t d = 0; d < rank; ++d) {
    if (d == summed || from[d] == 1) continue;
    const bool batch = d + 2 < rank;
    result_strides[batch ? result_rank - rank + d : result_rank - (left ? 2 : 1)] = strides[d];
  }
  return ElementGroups{strided_places(from, strides),
                       strided_places(call.result.shape, result_strides)};
}

}  // namespace

KAPPA_PRIMITIVE(matmul) {
  Primitive p;
  p.name = "matmul";
  p.doc =
      "Matrix product over the last two axes, each operand transposed where its flag says so; "
      "leading axes broadcast.";
  p.num_operands = 2;
  p.infer = [](const Attributes& attributes, std::span<const Type> operands) {
    const Product product = product_of(attributes, operands);
    Shape shape = product.batch;
    shape.push_back(product.gemm.rows);
    shape.push_back(product.gemm.columns);
    return Type{operands[0].dtype, shape};
  };
  p.bilinear = true;
  p.transpose = transpose_matmul;
  p.batch = batch_matmul;
  p.sparsity = lines;
  p.simplify = simplify;
  p.kernel.run = [](const KernelCall& call) {
    switch (call.output_type.dtype) {
      case DType::f64: return run_typed<double>(call);
      case DType::f32: return run_typed<float>(call);
      default: return run_typed<std::int64_t>(call);
    }
  };
  p.kernel.accumulates = true;
  p.kernel.flops = [](const Attributes& attributes, std::span<const Type> operands,
                      const Type& result) {
    return 2.0 * static_cast<double>(num_elements(result.shape)) *
           static_cast<double>(product_of(attributes, operands).gemm.inner);
  };
  p.samples = [] {
    const auto sample = [](Shape a, Shape b, std::int64_t ta, std::int64_t tb) {
      return Sample{{{DType::f64, std::move(a)}, {DType::f64, std::move(b)}},
                    {{"transpose_a", ta}, {"transpose_b", tb}}};
    };
    return std::vector<Sample>{
        sample({3, 4}, {4, 2}, 0, 0),       sample({4, 3}, {2, 4}, 1, 1),
        sample({4, 3}, {4, 2}, 1, 0),       sample({3, 4}, {2, 4}, 0, 1),
        sample({1, 4}, {4, 1}, 0, 0),       sample({3, 1}, {1, 5}, 0, 0),
        sample({2, 3, 4}, {2, 4, 2}, 0, 0), sample({2, 4, 3}, {4, 2}, 1, 0),
        sample({3, 4}, {2, 2, 4}, 0, 1),    sample({3, 1, 2, 4}, {2, 4, 2}, 0, 0),
        sample({17, 33}, {33, 19}, 0, 0)};
  };
  p.print = [](const Attributes& attributes,
               std::span<const std::pair<std::string, int>> operands) {
    const auto factor = [&](std::size_t i, const char* flag) {
      const auto& [text, precedence] = operands[i];
      if (attributes.integer(flag) != 0) {
        return (precedence >= 9 ? text : "(" + text + ")") + ".T";
      }
      // Products group from the left: a product on the right needs its parentheses.
      return precedence > (i == 0 ? 2 : 3) ? text : "(" + text + ")";
    };
    return std::pair<std::string, int>{factor(0, "transpose_a") + "@" + factor(1, "transpose_b"),
                                       3};
  };
  return p;
}

Array matmul(const Array& a, const Array& b, bool transpose_a, bool transpose_b) {
  if (a.is_literal() || b.is_literal() || a.rank() == 0 || b.rank() == 0) {
    throw Error(ErrorKind::shape, "[matmul] an operand is a scalar; multiply by * instead");
  }
  const DType dtype = promote(promote(a.dtype(), b.dtype()), DType::i64);
  Array left = convert(a, dtype), right = convert(b, dtype);
  // Vectors as NumPy has them: a row before, a column behind, and the axis dropped again.
  if (a.rank() == 1) left = reshape(left, {1, a.size()});
  if (b.rank() == 1) right = reshape(right, {b.size(), 1});
  const Array result =
      product(left, right, transpose_a && a.rank() > 1, transpose_b && b.rank() > 1);
  Shape shape = result.shape();
  if (b.rank() == 1) shape.pop_back();
  if (a.rank() == 1) shape.erase(shape.end() - (b.rank() == 1 ? 1 : 2));
  return reshape(result, shape);
}

}  // namespace kappa
