// LSTM, GRU, RNN: the steps are written out, so the sequence's length is a fixed number. The
// products with the inputs of all steps are one matrix product; the gates' formulas and their order
// in the weights are those of ONNX's documentation.

#include <functional>

#include "frontend/onnx/entries.h"
#include "frontend/onnx/operator.h"

namespace kappa {
namespace {

using Activation = std::function<Array(const Array&)>;

// A step is about 150 nodes of a Hessian product; compiling 200 steps takes some seconds.
constexpr std::int64_t max_steps = 500;

Activation activation_of(OnnxCall& call, const std::string& name, double alpha, double beta) {
  if (name == "Sigmoid") return sigmoid;
  if (name == "Tanh") return tanh;
  if (name == "Relu") return relu;
  if (name == "Softplus") return softplus;
  if (name == "Softsign") return [](const Array& x) { return x / (1.0 + abs(x)); };
  if (name == "Affine") return [=](const Array& x) { return alpha * x + beta; };
  if (name == "ScaledTanh") return [=](const Array& x) { return alpha * tanh(beta * x); };
  if (name == "LeakyRelu") return [=](const Array& x) { return where(x < 0.0, alpha * x, x); };
  if (name == "ThresholdedRelu")
    return [=](const Array& x) { return where(x > alpha, x, 0.0 * x); };
  if (name == "HardSigmoid") {
    return [=](const Array& x) { return maximum(0.0, minimum(1.0, alpha * x + beta)); };
  }
  if (name == "Elu") {
    return [=](const Array& x) { return where(x > 0.0, x, alpha * expm1(minimum(x, 0.0))); };
  }
  call.fail("activation '" + name + "'");
}

// The attributes name the activations of all directions in a row; alpha and beta are listed for
// those that have them.
std::vector<Activation> activations_of(OnnxCall& call, std::vector<std::string> names,
                                       std::size_t directions) {
  const std::size_t count = names.size();
  const std::vector<std::string> given = call.texts("activations");
  if (!given.empty()) {
    names = given;
  } else if (directions == 2) {
    const std::vector<std::string> forward = names;
    names.insert(names.end(), forward.begin(), forward.end());
  }
  if (names.size() != count * directions) {
    call.fail("as many activations as gates and directions are needed");
  }
  struct Defaults {
    const char* name;
    bool has_alpha, has_beta;
    double alpha, beta;
  };
  static constexpr Defaults known[] = {
      {"Affine", true, true, 1, 0},     {"LeakyRelu", true, false, 0.01, 0},
      {"Elu", true, false, 1, 0},       {"ThresholdedRelu", true, false, 1, 0},
      {"ScaledTanh", true, true, 1, 1}, {"HardSigmoid", true, true, 0.2, 0.5},
  };
  const std::vector<double> alphas = call.reals("activation_alpha");
  const std::vector<double> betas = call.reals("activation_beta");
  std::size_t next_alpha = 0, next_beta = 0;
  std::vector<Activation> result;
  for (const std::string& name : names) {
    double alpha = 0, beta = 0;
    for (const Defaults& entry : known) {
      if (name != entry.name) continue;
      alpha = entry.has_alpha && next_alpha < alphas.size() ? alphas[next_alpha++] : entry.alpha;
      beta = entry.has_beta && next_beta < betas.size() ? betas[next_beta++] : entry.beta;
    }
    result.push_back(activation_of(call, name, alpha, beta));
  }
  return result;
}

// Columns [first, last) * hidden of a row a sample, or those entries of a vector.
Array gates(const Array& x, std::int64_t hidden, std::int64_t first, std::int64_t last) {
  Dims low(x.shape().size(), 0), high = x.shape();
  low.back() = first * hidden;
  high.back() = last * hidden;
  return slice(x, low, high);
}

struct State {
  Array h, c;  // (batch, hidden)
};

// One direction's weights.
struct Cell {
  std::int64_t hidden = 0;
  Array recurrent;       // (gates * hidden, hidden)
  Array recurrent_bias;  // (gates * hidden), or undefined
  Array peephole;        // (3 * hidden), or undefined
  std::vector<Activation> activations;
  double clip = 0;
  bool flag = false;  // input_forget of an LSTM, linear_before_reset of a GRU

  [[nodiscard]] Array activate(std::size_t i, const Array& x) const {
    return activations[i](clip > 0 ? maximum(-clip, minimum(clip, x)) : x);
  }
};

// The state after a step; `x` is W x_t + Wb + Rb (batch, gates * hidden).
using Step = State (*)(const Cell&, const Array& x, const State&);

State step_rnn(const Cell& cell, const Array& x, const State& before) {
  return {cell.activate(0, x + matmul(before.h, cell.recurrent, false, true)), {}};
}

State step_lstm(const Cell& cell, const Array& x, const State& before) {
  const std::int64_t n = cell.hidden;
  const Array all = x + matmul(before.h, cell.recurrent, false, true);
  const auto part = [&](std::int64_t i) { return gates(all, n, i, i + 1); };
  const auto peep = [&](const Array& gate, std::int64_t i, const Array& c) {
    return cell.peephole.defined() ? gate + gates(cell.peephole, n, i, i + 1) * c : gate;
  };
  const Array input = cell.activate(0, peep(part(0), 0, before.c));
  const Array forget = cell.flag ? 1.0 - input : cell.activate(0, peep(part(2), 2, before.c));
  const Array c = forget * before.c + input * cell.activate(1, part(3));
  const Array output = cell.activate(0, peep(part(1), 1, c));
  return {output * cell.activations[2](c), c};  // what the gates take is clipped, the state is not
}

State step_gru(const Cell& cell, const Array& x, const State& before) {
  const std::int64_t n = cell.hidden;
  const Dims low{0, 0}, split{2 * n, 0}, two{2 * n, n}, three{3 * n, n};
  Array update, reset, candidate;
  if (cell.flag) {
    const Array all = matmul(before.h, cell.recurrent, false, true);
    const Array both = cell.activate(0, gates(x, n, 0, 2) + gates(all, n, 0, 2));
    update = gates(both, n, 0, 1);
    reset = gates(both, n, 1, 2);
    Array inner = gates(all, n, 2, 3);
    if (cell.recurrent_bias.defined()) inner = inner + gates(cell.recurrent_bias, n, 2, 3);
    candidate = gates(x, n, 2, 3) + reset * inner;
  } else {
    const Array both = cell.activate(
        0, gates(x, n, 0, 2) + matmul(before.h, slice(cell.recurrent, low, two), false, true));
    update = gates(both, n, 0, 1);
    reset = gates(both, n, 1, 2);
    candidate = gates(x, n, 2, 3) +
                matmul(reset * before.h, slice(cell.recurrent, split, three), false, true);
  }
  const Array proposed = cell.activate(1, candidate);
  return {proposed + update * (before.h - proposed), {}};
}

struct Kind {
  std::int64_t gates;
  std::vector<std::string> activations;
  Step step;
};

// x (steps, batch, inputs) through one direction; `outputs` becomes the state after each step, in
// the order of x.
State run_direction(OnnxCall& call, const Kind& kind, const Cell& cell, const Array& x,
                    const Array& weights, Array bias, const Array& lengths, bool backward,
                    State state, std::vector<Array>& outputs) {
  const std::int64_t steps = x.shape()[0], batch = x.shape()[1], n = cell.hidden;
  Array all = matmul(reshape(x, {steps * batch, x.shape()[2]}), weights, false, true);
  if (cell.recurrent_bias.defined()) {
    // A GRU that resets behind its product keeps the candidate's second bias inside.
    const bool inside = kind.step == step_gru && cell.flag;
    bias =
        bias + (inside ? pad(gates(cell.recurrent_bias, n, 0, 2), {0}, {n}) : cell.recurrent_bias);
    all = all + bias;
  }
  all = reshape(all, {steps, batch, kind.gates * n});
  outputs.resize(static_cast<std::size_t>(steps));
  for (std::int64_t i = 0; i < steps; ++i) {
    const std::int64_t t = backward ? steps - 1 - i : i;
    State next = kind.step(cell, entry_along(all, 0, t), state);
    Array shown = next.h;
    if (lengths.defined()) {  // a sequence that is over keeps its state and shows zeros
      const Array runs = reshape(lengths > static_cast<double>(t), {batch, 1});
      shown = where(runs, next.h, call.zeros(next.h.shape(), next.h.dtype()));
      next.h = where(runs, next.h, state.h);
      if (next.c.defined()) next.c = where(runs, next.c, state.c);
    }
    outputs[static_cast<std::size_t>(t)] = shown;
    state = next;
  }
  return state;
}

std::vector<Array> build_recurrent(OnnxCall& call, const Kind& kind) {
  Array x = call.input(0);
  const bool batch_first = call.integer("layout", 0) != 0;
  if (x.rank() != 3) call.fail("data that are not (steps, batch, inputs)");
  if (batch_first) x = transpose(x, {1, 0, 2});
  const std::int64_t steps = x.shape()[0], batch = x.shape()[1];
  if (steps > max_steps) {
    call.fail("a sequence of " + std::to_string(steps) + " steps; they are written out, at most " +
              std::to_string(max_steps));
  }
  const std::string direction = call.text("direction", "forward");
  if (direction != "forward" && direction != "reverse" && direction != "bidirectional") {
    call.fail("direction '" + direction + "'");
  }
  const std::int64_t directions = direction == "bidirectional" ? 2 : 1;
  const Array weights = call.input(1), recurrent = call.input(2);
  const std::int64_t n = recurrent.rank() == 3 ? recurrent.shape()[2] : 0;
  if (n > 1 << 24) call.fail("a state of more entries than makes sense");
  const Shape whole{directions, kind.gates * n, n};
  if (n == 0 || steps == 0 || recurrent.shape() != whole ||
      weights.shape() != Shape{directions, kind.gates * n, x.shape()[2]}) {
    call.fail("weights W and R do not fit the data, the direction and each other");
  }
  const Array bias = call.optional_input(3), lengths = call.optional_input(4);
  const bool lstm = kind.step == step_lstm;
  const Array peephole = lstm ? call.optional_input(7) : Array{};
  const auto fits = [](const Array& given, const Shape& shape) {
    return !given.defined() || given.shape() == shape;
  };
  if (!fits(bias, {directions, 2 * kind.gates * n}) || !fits(peephole, {directions, 3 * n}) ||
      !fits(lengths, {batch})) {
    call.fail("bias, sequence_lens or peepholes do not fit the data and the direction");
  }
  const auto initial = [&](std::size_t i, std::int64_t d) {
    if (!call.has(i)) return call.zeros({batch, n}, x.dtype());
    const Array given = call.input(i);
    if (given.shape() !=
        (batch_first ? Shape{batch, directions, n} : Shape{directions, batch, n})) {
      call.fail("an initial state that does not fit the data and the direction");
    }
    return entry_along(batch_first ? transpose(given, {1, 0, 2}) : given, 0, d);
  };
  const std::vector<Activation> activations =
      activations_of(call, kind.activations, static_cast<std::size_t>(directions));
  const auto per_direction = static_cast<std::ptrdiff_t>(kind.activations.size());

  std::vector<std::vector<Array>> shown(static_cast<std::size_t>(directions));
  std::vector<Array> last_h, last_c;
  for (std::int64_t d = 0; d < directions; ++d) {
    Cell cell{.hidden = n, .recurrent = entry_along(recurrent, 0, d)};
    Array input_bias;
    if (bias.defined()) {
      const Array both = entry_along(bias, 0, d);
      input_bias = gates(both, n, 0, kind.gates);
      cell.recurrent_bias = gates(both, n, kind.gates, 2 * kind.gates);
    }
    if (peephole.defined()) cell.peephole = entry_along(peephole, 0, d);
    const auto first = activations.begin() + d * per_direction;
    cell.activations.assign(first, first + per_direction);
    cell.clip = call.real("clip", 0);
    cell.flag = call.integer(lstm ? "input_forget" : "linear_before_reset", 0) != 0;
    const State start{initial(5, d), lstm ? initial(6, d) : Array{}};
    const State end =
        run_direction(call, kind, cell, x, entry_along(weights, 0, d), input_bias, lengths,
                      d == 1 || direction == "reverse", start, shown[static_cast<std::size_t>(d)]);
    last_h.push_back(end.h);
    last_c.push_back(end.c);
  }
  // Y is (steps, directions, batch, hidden), or (batch, steps, directions, hidden).
  std::vector<Array> outputs(lstm ? 3 : 2);
  if (call.wants(0)) {
    std::vector<Array> both;
    for (const std::vector<Array>& parts : shown) both.push_back(stacked(parts, 0));
    const Array y = stacked(both, 1);
    outputs[0] = batch_first ? transpose(y, {2, 0, 1, 3}) : y;
  }
  const std::int64_t axis = batch_first ? 1 : 0;
  if (call.wants(1)) outputs[1] = stacked(last_h, axis);
  if (lstm && call.wants(2)) outputs[2] = stacked(last_c, axis);
  return outputs;
}

OnnxOperator recurrent(const Kind& kind) {
  return {.first = 7, .note = "at most 500 steps", .build = [kind](OnnxCall& call) {
            return build_recurrent(call, kind);
          }};
}

}  // namespace

KAPPA_ONNX_OPERATOR(LSTM) { return recurrent({4, {"Sigmoid", "Tanh", "Tanh"}, step_lstm}); }
KAPPA_ONNX_OPERATOR(GRU) { return recurrent({3, {"Sigmoid", "Tanh"}, step_gru}); }
KAPPA_ONNX_OPERATOR(RNN) { return recurrent({1, {"Tanh"}, step_rnn}); }

}  // namespace kappa
