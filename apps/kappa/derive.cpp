#include <fmt/format.h>

#include <algorithm>

#include "command.h"
#include "common.h"
#include "data/npy.h"
#include "data/npz.h"
#include "kappa/error.h"
#include "kappa/version.h"
#include "report/derivative_formulas.h"
#include "report/json.h"
#include "values.h"

namespace kappa {
namespace {

constexpr std::int64_t max_dense_sparse = 5000;  // order up to which zeros are found by looking

struct DeriveCommand {
  CommonOptions common;
  bool value = false, print = false;
  std::string gradient, jacobian, hessian, sparse_hessian, hvp, ggn, out, outputs;
  OptionTable table;

  DeriveCommand() {
    table.group("Derivatives");
    table.flag("--value", "the value, on standard output", value);
    table.flag("--print", "gradient and Hessian (or Jacobian) as simplified formulas", print);
    table.text("--gradient", "OUT.npy", "the gradient, P entries", gradient);
    table.text("--jacobian", "OUT.npy", "of a vector of formulas, m x P", jacobian);
    table.text("--hessian", "OUT.npy", "the dense Hessian, P x P", hessian);
    table.text("--sparse-hessian", "OUT.npz", "its nonzeros, as scipy.sparse.load_npz reads them",
               sparse_hessian);
    table.text("--hvp", "V.npy", "Hessian times v; V is P or k x P; needs --out", hvp);
    table.text("--ggn", "V.npy", "Gauss-Newton matrix times v; needs --out", ggn);
    table.text("--out", "OUT.npy", "where the products go", out);
    table.text("--outputs", "OUT.npy", "the model's outputs, samples x outputs", outputs);
    common.add_to(table);
  }

  [[nodiscard]] bool any() const {
    return value || print || !gradient.empty() || !jacobian.empty() || !hessian.empty() ||
           !sparse_hessian.empty() || !hvp.empty() || !ggn.empty() || !outputs.empty();
  }
};

/// Files are computed first and written at the end, so that an error leaves nothing behind.
class Output {
 public:
  explicit Output(bool single) : single_(single) {}

  void add(const std::string& path, std::vector<double> values, Shape shape) {
    files_.push_back({path, std::move(values), std::move(shape)});
  }
  void write() const {
    for (const File& file : files_) {
      if (single_) {
        const std::vector<float> narrow(file.values.begin(), file.values.end());
        write_npy(file.path, StoredArrayView(narrow.data(), file.shape));
      } else {
        write_npy(file.path, StoredArrayView(file.values.data(), file.shape));
      }
    }
  }

 private:
  struct File {
    std::string path;
    std::vector<double> values;
    Shape shape;
  };
  bool single_;
  std::vector<File> files_;
};

/// Directions from a file: P, or k x P.
struct Directions {
  std::vector<double> values;
  Shape shape;
  std::int64_t count = 1;
};

Directions read_directions(const std::string& option, const std::string& path, std::int64_t n) {
  const StoredArray array = read_npy(path);
  const bool one = array.shape.size() == 1 && array.shape[0] == n;
  const bool many = array.shape.size() == 2 && array.shape[1] == n && array.shape[0] > 0;
  if (!one && !many) {
    throw Error(ErrorKind::shape, fmt::format("{}: {} has shape {}; expected ({},) or (k, {})",
                                              option, path, shape_text(array.shape), n, n));
  }
  return {array.to_doubles(), array.shape, one ? 1 : array.shape[0]};
}

std::vector<double> dense_hessian(const LoadedObjective& loaded, const CommonOptions& options) {
  const Objective& objective = *loaded.scalar;
  const std::int64_t n = objective.dimension();
  const double bytes = 8.0 * static_cast<double>(n) * static_cast<double>(n);
  const auto budget = static_cast<double>(
      options.memory.empty() ? default_memory_budget() : parse_bytes("--memory", options.memory));
  if (bytes > budget) {
    throw Error(ErrorKind::resource,
                fmt::format("the dense Hessian of {} parameters takes {}, the budget is {}; take "
                            "products by --hvp, or fewer parameters by --params",
                            n, bytes_text(bytes), bytes_text(budget)));
  }
  std::vector<double> matrix(static_cast<std::size_t>(n * n));
  objective.hessian(loaded.w.data(), matrix.data());
  return matrix;
}

void write_sparse(const std::string& path, const std::vector<double>& matrix, std::int64_t n,
                  bool single) {
  std::vector<std::int64_t> offsets{0}, columns;
  std::vector<double> entries;
  for (std::int64_t i = 0; i < n; ++i) {
    for (std::int64_t j = 0; j < n; ++j) {
      const double entry = matrix[static_cast<std::size_t>(i * n + j)];
      if (entry == 0) continue;
      columns.push_back(j);
      entries.push_back(entry);
    }
    offsets.push_back(static_cast<std::int64_t>(columns.size()));
  }
  const Shape shape{static_cast<std::int64_t>(entries.size())};
  if (single) {
    const std::vector<float> narrow(entries.begin(), entries.end());
    write_csr_npz(path, n, n, offsets, columns, StoredArrayView(narrow.data(), shape));
  } else {
    write_csr_npz(path, n, n, offsets, columns, StoredArrayView(entries.data(), shape));
  }
}

void check(const DeriveCommand& command) {
  if (!command.any()) {
    throw Error(ErrorKind::usage,
                "nothing to derive: ask for --value, --gradient OUT.npy, --hessian OUT.npy, --hvp "
                "V.npy --out HV.npy, --print or another of kappa derive --help");
  }
  const bool products = !command.hvp.empty() || !command.ggn.empty();
  if (!command.hvp.empty() && !command.ggn.empty()) {
    throw Error(ErrorKind::usage, "--hvp and --ggn share --out; ask for one of them at a time");
  }
  if (products && command.out.empty()) {
    throw Error(ErrorKind::usage, fmt::format("{} needs --out FILE.npy for the products",
                                              command.hvp.empty() ? "--ggn" : "--hvp"));
  }
  if (!products && !command.out.empty()) {
    throw Error(ErrorKind::usage, "--out is for the products of --hvp or --ggn; give one of them");
  }
  for (const std::string* path : {&command.gradient, &command.jacobian, &command.hessian,
                                  &command.sparse_hessian, &command.out, &command.outputs}) {
    if (!path->empty()) check_writable(*path);
  }
}

int run(const std::vector<std::string>& arguments) {
  DeriveCommand command;
  command.common.take_objective(command.table.parse(arguments));
  check(command);
  const LoadedObjective loaded = load_objective(command.common);
  const bool single = loaded.summary.dtype == "f32";
  const std::int64_t n = loaded.summary.num_parameters;
  Output files(single);
  std::string text;
  Json json;
  json["kappa"] = version();
  json["objective"] = to_json(loaded.summary);
  const double* w = loaded.w.data();

  for (const auto& [asked, option] :
       {std::pair{!command.gradient.empty(), "--gradient"},
        std::pair{!command.hessian.empty(), "--hessian"},
        std::pair{!command.sparse_hessian.empty(), "--sparse-hessian"},
        std::pair{!command.hvp.empty(), "--hvp"}, std::pair{!command.ggn.empty(), "--ggn"},
        std::pair{!command.outputs.empty(), "--outputs"}}) {
    if (asked) (void)loaded.require_scalar(option);
  }
  if (command.value) {
    if (loaded.vector) {
      const std::vector<double> values = loaded.vector->value(w);
      json["value"] = values;
      for (const double value : values) text += fmt::format("{}\n", value);
    } else {
      const double value = loaded.scalar->value(w);
      json["value"] = value;
      text += fmt::format("{}\n", value);
    }
  }
  if (command.print) {
    const DerivativeFormulas formulas =
        derivative_formulas(command.common.objective, loaded.parameters(),
                            parse_constants(command.common.constants), loaded.table.get());
    text += to_text(formulas);
    for (const auto& [name, formula] : formulas.lines) json["formulas"][name] = formula;
  }
  if (!command.gradient.empty()) {
    std::vector<double> gradient(static_cast<std::size_t>(n));
    loaded.scalar->gradient(w, gradient.data());
    files.add(command.gradient, std::move(gradient), {n});
  }
  if (!command.jacobian.empty()) {
    if (loaded.vector) {
      files.add(command.jacobian, loaded.vector->jacobian(w), {loaded.vector->num_outputs(), n});
    } else if (loaded.summary.num_samples == 0) {  // one function: its gradient as a row
      std::vector<double> gradient(static_cast<std::size_t>(n));
      loaded.scalar->gradient(w, gradient.data());
      files.add(command.jacobian, std::move(gradient), {1, n});
    } else {
      throw Error(
          ErrorKind::unsupported,
          "--jacobian is for formulas without data; the Jacobian of all samples' outputs is "
          "not written. Take --ggn V.npy for products with J'HJ");
    }
  }
  std::vector<double> matrix;
  if (!command.sparse_hessian.empty() && n > max_dense_sparse) {
    throw Error(
        ErrorKind::resource,
        fmt::format("--sparse-hessian: {} parameters; this version finds zeros in the dense "
                    "matrix and takes at most {}. Take products by --hvp",
                    n, max_dense_sparse));
  }
  if (!command.hessian.empty() || !command.sparse_hessian.empty()) {
    matrix = dense_hessian(loaded, command.common);
    if (!command.hessian.empty()) files.add(command.hessian, matrix, {n, n});
  }
  if (!command.hvp.empty() || !command.ggn.empty()) {
    const bool hessian = !command.hvp.empty();
    const std::string& path = hessian ? command.hvp : command.ggn;
    const Directions v = read_directions(hessian ? "--hvp" : "--ggn", path, n);
    const auto linearization = loaded.scalar->linearize(w);
    std::vector<double> products(v.values.size());
    if (hessian) {
      linearization->hessian_product(v.count, v.values.data(), products.data());
    } else {
      linearization->gauss_newton_product(v.count, v.values.data(), products.data());
    }
    files.add(command.out, std::move(products), v.shape);
  }
  if (!command.outputs.empty()) {
    std::int64_t width = 0;
    std::vector<double> outputs = loaded.scalar->outputs(w, width);
    const auto rows = static_cast<std::int64_t>(outputs.size()) / std::max<std::int64_t>(width, 1);
    files.add(command.outputs, std::move(outputs), {rows, width});
  }
  files.write();
  if (!command.sparse_hessian.empty()) write_sparse(command.sparse_hessian, matrix, n, single);
  if (!command.common.json_to_stdout()) print_out(text);
  if (!command.common.quiet) print_notes(loaded.notes);
  replace_non_finite(json);
  write_json(command.common, command.common.json.empty() ? "" : dump(json));
  return exit_done;
}

std::string help() {
  return "Usage: kappa derive OBJECTIVE [options]\n"
         "\n"
         "Raw derivatives into files: float64 for --dtype f64, else float32.\n"
         "\n"
         "  kappa derive \"x^2*sin(y)\" --at x=1,y=2 --print\n"
         "  kappa derive \"x^2*sin(y)\" --at x=1,y=2 --hessian H.npy\n"
         "  kappa derive mlp:784-64-10:tanh --data fashion-mnist --scale 1/255 \\\n"
         "        --hvp V.npy --out HV.npy\n" +
         DeriveCommand().table.help();
}

}  // namespace

const Command derive_command{"derive", "raw derivatives into files, or as formulas", run, help};

}  // namespace kappa
