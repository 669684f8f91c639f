// Loop and Scan: their bodies are written out, so the number of rounds is a fixed number.

#include "frontend/onnx/entries.h"
#include "frontend/onnx/operator.h"

namespace kappa {
namespace {

constexpr std::int64_t max_rounds = 10'000;

std::vector<Array> loop(OnnxCall& call) {
  const OnnxGraph& body = call.graph("body");
  std::int64_t limit = -1;
  if (call.has(0)) {
    const Dims count = call.known_integers(0);
    if (count.size() != 1) call.fail("a number of rounds that is not one number");
    limit = count[0];
  }
  const Array first = call.optional_input(1);
  const auto holds = [&](const Array& condition) {
    const auto value = call.value_of(condition);
    if (!value)
      call.fail("a condition that depends on the data: the rounds are not known in advance");
    return value->size() > 0 && value->at(0) != 0;
  };
  std::vector<Array> carried;
  for (std::size_t i = 2; i < call.num_inputs(); ++i) carried.push_back(call.input(i));
  if (body.outputs.size() < 1 + carried.size())
    call.fail("a body that does not return what it carries");
  std::vector<std::vector<Array>> collected(body.outputs.size() - 1 - carried.size());
  bool goes_on = !first.defined() || holds(first);
  for (std::int64_t i = 0; goes_on && (limit < 0 || i < limit); ++i) {
    if (i >= max_rounds)
      call.fail("more than " + std::to_string(max_rounds) + " rounds; they are written out");
    std::vector<Array> inputs{reshape(call.integers_constant({i}), {}),
                              convert(call.number(1, DType::i64), DType::boolean)};
    inputs.insert(inputs.end(), carried.begin(), carried.end());
    const std::vector<Array> outputs = call.run(body, inputs);
    goes_on = holds(outputs[0]);
    for (std::size_t k = 0; k < carried.size(); ++k) carried[k] = outputs[k + 1];
    for (std::size_t k = 0; k < collected.size(); ++k) {
      collected[k].push_back(outputs[1 + carried.size() + k]);
    }
  }
  for (const std::vector<Array>& parts : collected) {
    if (parts.empty()) call.fail("no rounds: the shapes of what they would collect are not known");
    carried.push_back(stacked(parts, 0));
  }
  return carried;
}

std::vector<Array> scan(OnnxCall& call) {
  const OnnxGraph& body = call.graph("body");
  const auto scanned = static_cast<std::size_t>(call.integer("num_scan_inputs"));
  const std::size_t inputs_in_all = call.num_inputs();
  if (scanned < 1 || scanned > inputs_in_all || scanned > body.inputs.size())
    call.fail("num_scan_inputs out of range");
  const std::size_t states = inputs_in_all - scanned;
  if (body.outputs.size() < states) call.fail("a body that does not return its states");
  const std::size_t made = body.outputs.size() - states;
  const Dims input_axes = call.integers("scan_input_axes", Dims(scanned, 0));
  const Dims input_back = call.integers("scan_input_directions", Dims(scanned, 0));
  const Dims output_axes = call.integers("scan_output_axes", Dims(made, 0));
  const Dims output_back = call.integers("scan_output_directions", Dims(made, 0));
  if (input_axes.size() != scanned || input_back.size() != scanned || output_axes.size() != made ||
      output_back.size() != made) {
    call.fail("axes or directions do not have an entry each");
  }
  std::vector<Array> carried, sources;
  for (std::size_t i = 0; i < states; ++i) carried.push_back(call.input(i));
  Dims axes;
  std::int64_t rounds = -1;
  for (std::size_t i = 0; i < scanned; ++i) {
    sources.push_back(call.input(states + i));
    axes.push_back(onnx_axis(input_axes[i], sources[i].rank()));
    const std::int64_t extent = sources[i].shape()[static_cast<std::size_t>(axes[i])];
    if (rounds >= 0 && extent != rounds) call.fail("inputs of different lengths");
    rounds = extent;
  }
  if (rounds < 1 || rounds > max_rounds) {
    call.fail(std::to_string(rounds) + " rounds; they are written out, 1 to " +
              std::to_string(max_rounds));
  }
  std::vector<std::vector<Array>> collected(made);
  for (std::int64_t i = 0; i < rounds; ++i) {
    std::vector<Array> inputs = carried;
    for (std::size_t k = 0; k < scanned; ++k) {
      inputs.push_back(entry_along(sources[k], axes[k], input_back[k] != 0 ? rounds - 1 - i : i));
    }
    const std::vector<Array> outputs = call.run(body, inputs);
    for (std::size_t k = 0; k < states; ++k) carried[k] = outputs[k];
    for (std::size_t k = 0; k < made; ++k) {
      auto& list = collected[k];
      list.insert(output_back[k] != 0 ? list.begin() : list.end(), outputs[states + k]);
    }
  }
  for (std::size_t k = 0; k < made; ++k) {
    carried.push_back(stacked(collected[k], onnx_axis(output_axes[k], collected[k][0].rank() + 1)));
  }
  return carried;
}

}  // namespace

KAPPA_ONNX_OPERATOR(Loop) {
  return {.note = "the number of rounds must be known in advance; no sequences", .build = loop};
}
KAPPA_ONNX_OPERATOR(Scan) { return {.first = 9, .build = scan}; }

}  // namespace kappa
