#include "function/samples.h"

namespace kappa {
namespace {

class DatasetSamples final : public SampleSource {
 public:
  DatasetSamples(std::shared_ptr<const Dataset> data, DType dtype, bool labels, bool has_targets)
      : data_(std::move(data)), dtype_(dtype), labels_(labels), has_targets_(has_targets) {}

  [[nodiscard]] std::int64_t num_samples() const override { return data_->num_samples(); }

  [[nodiscard]] std::vector<Type> types(std::int64_t batch) const override {
    std::vector<Type> result{{dtype_, {batch, data_->num_features()}}};
    if (has_targets_ && labels_) result.push_back({DType::i64, {batch}});
    if (has_targets_ && !labels_) result.push_back({dtype_, {batch, data_->num_targets()}});
    return result;
  }

  void fill(std::size_t input, const Rows& rows, void* target) const override {
    if (input == 1 && labels_) {
      copy_labels(*data_, rows, static_cast<std::int64_t*>(target));
    } else if (dtype_ == DType::f32) {
      auto* to = static_cast<float*>(target);
      input == 0 ? copy_inputs(*data_, rows, to) : copy_targets(*data_, rows, to);
    } else {
      auto* to = static_cast<double*>(target);
      input == 0 ? copy_inputs(*data_, rows, to) : copy_targets(*data_, rows, to);
    }
  }

 private:
  std::shared_ptr<const Dataset> data_;
  DType dtype_;
  bool labels_, has_targets_;
};

class TableSamples final : public SampleSource {
 public:
  TableSamples(std::shared_ptr<const Table> table, const std::vector<std::string>& columns,
               DType dtype)
      : table_(std::move(table)), dtype_(dtype) {
    for (const std::string& name : columns) columns_.push_back(&table_->column(name).values);
  }

  [[nodiscard]] std::int64_t num_samples() const override { return table_->num_rows; }

  [[nodiscard]] std::vector<Type> types(std::int64_t batch) const override {
    return std::vector<Type>(columns_.size(), Type{dtype_, {batch}});
  }

  void fill(std::size_t input, const Rows& rows, void* target) const override {
    const std::vector<double>& column = *columns_[input];
    for (std::int64_t i = 0; i < rows.count(); ++i) {
      const double value = column[static_cast<std::size_t>(rows[i])];
      if (dtype_ == DType::f32) {
        static_cast<float*>(target)[i] = static_cast<float>(value);
      } else {
        static_cast<double*>(target)[i] = value;
      }
    }
  }

 private:
  std::shared_ptr<const Table> table_;
  DType dtype_;
  std::vector<const std::vector<double>*> columns_;
};

}  // namespace

std::shared_ptr<const SampleSource> dataset_samples(std::shared_ptr<const Dataset> data,
                                                    DType dtype, bool labels, bool has_targets) {
  return std::make_shared<DatasetSamples>(std::move(data), dtype, labels, has_targets);
}

std::shared_ptr<const SampleSource> table_samples(std::shared_ptr<const Table> table,
                                                  const std::vector<std::string>& columns,
                                                  DType dtype) {
  return std::make_shared<TableSamples>(std::move(table), columns, dtype);
}

}  // namespace kappa
