#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "data/dataset.h"
#include "frontend/onnx/import.h"
#include "function/samples.h"

namespace kappa {

/// What `--input NAME=...` gives an input of a model: one number everywhere, or an array.
struct OnnxInputValue {
  std::string name;
  double number = 0;
  std::shared_ptr<const Dataset> array;  ///< its x; null: the number
};

/// Which of a model's inputs come from data, a sample at a time, and which are the same for all.
///
/// The first input without a value of its own takes x of the data set. An array whose first extent
/// is the number of samples is data; any other is the same for every sample. Extents that the model
/// leaves open are taken from the data, and must agree where they have the same name.
class OnnxInputs {
 public:
  /// Throws Error for inputs without a value, and where data and the model's declaration differ.
  OnnxInputs(const OnnxModel& model, const std::string& output, std::shared_ptr<const Dataset> data,
             const std::vector<OnnxInputValue>& values);

  [[nodiscard]] std::int64_t num_samples() const { return num_samples_; }
  [[nodiscard]] bool has_samples() const { return !samples_.empty(); }
  /// Whether every data input leaves its first extent open (or, `rebind`, has it 1), so that a
  /// micro-batch can be given at once.
  [[nodiscard]] bool takes_batches(bool rebind) const;

  /// Options that bind the inputs to a micro-batch at once, or to one sample.
  void bind_batch(OnnxImportOptions& options, std::int64_t batch) const;
  void bind_sample(OnnxImportOptions& options) const;
  /// Types of the data inputs for a micro-batch, bound one way or the other.
  [[nodiscard]] std::vector<Type> batch_types(std::int64_t batch, DType floating) const;
  [[nodiscard]] std::vector<Type> sample_types(std::int64_t batch, DType floating) const;
  /// Writes data input `index` for these samples, as `type` says.
  void fill(std::size_t index, const Rows& rows, DType dtype, void* target) const;

 private:
  struct SampleInput {
    std::string name;
    OnnxType type;
    std::shared_ptr<const Dataset> data;
    bool open = false;  // the first axis is that of the samples
    Shape shape;        // one sample, the first axis being 1 where it is open
  };
  struct FixedInput {
    OnnxValueInfo info;
    OnnxInputValue value;
  };

  void add_sample_input(const OnnxValueInfo& info, const std::shared_ptr<const Dataset>& data);
  [[nodiscard]] Shape sample_shape(const OnnxValueInfo& info, const Dataset& data);
  void name_extent(const OnnxDim& dim, std::int64_t extent, const std::string& input);
  [[nodiscard]] Tensor fixed_tensor(const FixedInput& input, std::int64_t batch,
                                    DType floating) const;
  void bind_fixed(OnnxImportOptions& options, std::int64_t batch) const;

  std::string model_;
  std::int64_t num_samples_ = 0;
  std::vector<SampleInput> samples_;
  std::vector<FixedInput> fixed_;
  std::map<std::string, std::int64_t> extents_;  // by the names the model gives them
  std::string batch_symbol_;
};

}  // namespace kappa
