#include "function/onnx_inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "frontend/nearest.h"
#include "kappa/error.h"

namespace kappa {
namespace {

Shape without_ones(const Shape& shape) {
  Shape result;
  std::copy_if(shape.begin(), shape.end(), std::back_inserter(result),
               [](std::int64_t extent) { return extent != 1; });
  return result;
}

bool is_open(const OnnxValueInfo& info) {
  return !info.has_shape || (!info.dims.empty() && info.dims[0].extent < 0);
}

Shape row_shape(const Dataset& data) {
  return {data.x.shape.begin() + (data.x.shape.empty() ? 0 : 1), data.x.shape.end()};
}

template <class T>
void convert_rows(const Dataset& data, const Rows& rows, T* target) {
  std::vector<double> wide(static_cast<std::size_t>(rows.count() * data.num_features()));
  copy_inputs(data, rows, wide.data());
  for (std::size_t i = 0; i < wide.size(); ++i) {
    if constexpr (sizeof(T) == 1) {
      target[i] = wide[i] != 0;
    } else {
      target[i] = static_cast<T>(wide[i]);
    }
  }
}

}  // namespace

OnnxInputs::OnnxInputs(const OnnxModel& model, const std::string& output,
                       std::shared_ptr<const Dataset> data,
                       const std::vector<OnnxInputValue>& values)
    : model_(model.path) {
  std::vector<std::string> names;
  for (const OnnxValueInfo& info : model.graph.inputs) names.push_back(info.name);
  std::map<std::string, const OnnxInputValue*> given;
  for (const OnnxInputValue& value : values) {
    if (std::find(names.begin(), names.end(), value.name) == names.end()) {
      throw Error(ErrorKind::name,
                  fmt::format("--input {}: {} has no such input; it has {}{}", value.name, model_,
                              fmt::join(names, ", "), did_you_mean(value.name, names)));
    }
    if (!given.emplace(value.name, &value).second) {
      throw Error(ErrorKind::usage, fmt::format("--input {} is given twice", value.name));
    }
  }
  const std::set<std::string> needed = needed_inputs(model, output);
  num_samples_ = data != nullptr ? data->num_samples() : 0;
  bool data_used = data == nullptr;
  for (const OnnxValueInfo& info : model.graph.inputs) {
    if (!needed.contains(info.name)) continue;
    const auto found = given.find(info.name);
    if (found == given.end()) {
      if (data_used) {
        throw Error(ErrorKind::usage,
                    fmt::format("{}: the input '{}', {}, has no value; give --input {}=FILE.npy, "
                                "or --input {}=1 for ones everywhere",
                                model_, info.name, info.describe(), info.name, info.name));
      }
      data_used = true;
      add_sample_input(info, data);
      continue;
    }
    const OnnxInputValue& value = *found->second;
    if (value.array != nullptr && data == nullptr && num_samples_ == 0 && is_open(info)) {
      num_samples_ = value.array->num_samples();
    }
    const bool a_row_each = value.array != nullptr && !value.array->x.shape.empty() &&
                            value.array->num_samples() == num_samples_ &&
                            (is_open(info) || value.array->x.shape.size() == info.dims.size() + 1);
    if (a_row_each) {
      add_sample_input(info, value.array);
    } else {
      fixed_.push_back({info, value});
    }
  }
  if (data != nullptr && std::none_of(samples_.begin(), samples_.end(),
                                      [&](const SampleInput& s) { return s.data == data; })) {
    throw Error(
        ErrorKind::usage,
        fmt::format("{}: every input has a value by --input, so that x of --data is read by "
                    "nothing; leave one out",
                    model_));
  }
}

void OnnxInputs::name_extent(const OnnxDim& dim, std::int64_t extent, const std::string& input) {
  if (dim.symbol.empty()) return;
  const auto [found, added] = extents_.emplace(dim.symbol, extent);
  if (!added && found->second != extent) {
    throw Error(ErrorKind::shape, fmt::format("{}: '{}' is {} in the input '{}' and {} in another",
                                              model_, dim.symbol, extent, input, found->second));
  }
}

Shape OnnxInputs::sample_shape(const OnnxValueInfo& info, const Dataset& data) {
  const Shape row = row_shape(data);
  const std::int64_t count = data.num_features();
  const auto misfit = [&](const std::string& remedy) {
    return Error(ErrorKind::shape,
                 fmt::format("{}: the input '{}' is {}, {} has samples of shape {}{}", model_,
                             info.name, info.describe(), data.source, to_string(row), remedy));
  };
  Shape shape;
  if (!info.has_shape) {
    shape = row;
    shape.insert(shape.begin(), 1);
    return shape;
  }
  const bool open = is_open(info);
  std::vector<OnnxDim> dims(info.dims.begin() + (open ? 1 : 0), info.dims.end());
  std::size_t unknown = 0;
  std::int64_t known = 1;
  for (const OnnxDim& dim : dims) {
    unknown += dim.extent < 0 ? 1 : 0;
    if (dim.extent >= 0) known = num_elements({known, dim.extent});
  }
  // A first axis of extent 1 stands for the samples: rows may come without it.
  const bool leading_one = !open && !dims.empty() && dims[0].extent == 1;
  const std::size_t skip = leading_one && row.size() + 1 == dims.size() ? 1 : 0;
  for (std::size_t i = 0; i < dims.size(); ++i) {
    std::int64_t extent = dims[i].extent;
    if (extent < 0) {
      if (row.size() + skip == dims.size()) {
        extent = row[i - skip];
      } else if (unknown == 1 && known > 0 && count % known == 0) {
        extent = count / known;
      } else {
        throw misfit("; its open extents cannot be told from them");
      }
      name_extent(dims[i], extent, info.name);
    }
    shape.push_back(extent);
  }
  if (num_elements(shape) != count) {
    const bool batches = !dims.empty() && shape[0] > 1 && num_elements(shape) == count * shape[0];
    throw misfit(batches ? fmt::format("; it was exported for {} samples at a time: export it with "
                                       "an open first axis, or one of extent 1",
                                       shape[0])
                         : "");
  }
  const Shape a = without_ones(shape), b = without_ones(row);
  if (a != b && a.size() > 1 && b.size() > 1) throw misfit("; bring its axes into that order");
  if (open) shape.insert(shape.begin(), 1);
  return shape;
}

void OnnxInputs::add_sample_input(const OnnxValueInfo& info,
                                  const std::shared_ptr<const Dataset>& data) {
  computed_type(info.type, DType::f64);  // texts are refused here
  const bool open = is_open(info);
  if (open && info.has_shape && batch_symbol_.empty()) batch_symbol_ = info.dims[0].symbol;
  samples_.push_back({info.name, info.type, data, open, sample_shape(info, *data)});
}

bool OnnxInputs::takes_batches(bool rebind) const {
  return has_samples() && std::all_of(samples_.begin(), samples_.end(), [&](const SampleInput& s) {
           return s.open || (rebind && !s.shape.empty() && s.shape[0] == 1);
         });
}

Tensor OnnxInputs::fixed_tensor(const FixedInput& input, std::int64_t batch, DType floating) const {
  const DType dtype = computed_type(input.info.type, floating);
  const auto refuse = [&](const std::string& why) {
    return Error(ErrorKind::shape, fmt::format("{}: the input '{}' is {}; {}", model_,
                                               input.info.name, input.info.describe(), why));
  };
  const auto is_batch = [&](const OnnxDim& dim) {
    return !dim.symbol.empty() && dim.symbol == batch_symbol_;
  };
  Shape shape;
  if (input.value.array == nullptr) {
    for (std::size_t i = 0; i < input.info.dims.size(); ++i) {
      const OnnxDim& dim = input.info.dims[i];
      const auto named = extents_.find(dim.symbol);
      if (dim.extent >= 0) {
        shape.push_back(dim.extent);
      } else if (is_batch(dim) || (i == 0 && dim.symbol.empty())) {
        shape.push_back(batch);
      } else if (!dim.symbol.empty() && named != extents_.end()) {
        shape.push_back(named->second);
      } else {
        throw refuse("one number cannot fill it, as its extents are not known; give a file");
      }
    }
    const Tensor tensor(Type{dtype, shape});
    for (std::int64_t i = 0; i < tensor.size(); ++i) tensor.set(i, input.value.number);
    return tensor;
  }
  const StoredArray& array = input.value.array->x;
  bool fits = !input.info.has_shape || array.shape.size() == input.info.dims.size();
  for (std::size_t i = 0; fits && input.info.has_shape && i < array.shape.size(); ++i) {
    fits = input.info.dims[i].extent < 0 || input.info.dims[i].extent == array.shape[i];
  }
  if (!fits) throw refuse(fmt::format("its array has the shape {}", shape_text(array.shape)));
  shape = array.shape;
  // One row stands for every sample.
  const bool spread = !shape.empty() && shape[0] == 1 && batch > 1 && input.info.has_shape &&
                      is_batch(input.info.dims[0]);
  if (spread) shape[0] = batch;
  const Tensor tensor(Type{dtype, shape});
  for (std::int64_t i = 0; i < tensor.size(); ++i) tensor.set(i, array[i % array.size()]);
  return tensor;
}

void OnnxInputs::bind_fixed(OnnxImportOptions& options, std::int64_t batch) const {
  for (const FixedInput& input : fixed_) {
    options.fixed_inputs[input.info.name] = fixed_tensor(input, batch, options.floating);
  }
}

void OnnxInputs::bind_batch(OnnxImportOptions& options, std::int64_t batch) const {
  for (const SampleInput& input : samples_) {
    Shape shape = input.shape;
    shape[0] = batch;
    options.input_shapes[input.name] = shape;
  }
  bind_fixed(options, batch);
}

void OnnxInputs::bind_sample(OnnxImportOptions& options) const {
  for (const SampleInput& input : samples_) options.input_shapes[input.name] = input.shape;
  bind_fixed(options, 1);
}

std::vector<Type> OnnxInputs::batch_types(std::int64_t batch, DType floating) const {
  std::vector<Type> types;
  for (const SampleInput& input : samples_) {
    types.push_back({computed_type(input.type, floating), input.shape});
    types.back().shape[0] = batch;
  }
  return types;
}

std::vector<Type> OnnxInputs::sample_types(std::int64_t batch, DType floating) const {
  std::vector<Type> types;
  for (const SampleInput& input : samples_) {
    types.push_back({computed_type(input.type, floating), input.shape});
    types.back().shape.insert(types.back().shape.begin(), batch);
  }
  return types;
}

void OnnxInputs::fill(std::size_t index, const Rows& rows, DType dtype, void* target) const {
  const Dataset& data = *samples_[index].data;
  switch (dtype) {
    case DType::f32: return copy_inputs(data, rows, static_cast<float*>(target));
    case DType::f64: return copy_inputs(data, rows, static_cast<double*>(target));
    case DType::i64: return convert_rows(data, rows, static_cast<std::int64_t*>(target));
    case DType::boolean: return convert_rows(data, rows, static_cast<std::uint8_t*>(target));
  }
}

}  // namespace kappa
