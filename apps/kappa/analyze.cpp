#include <fmt/format.h>

#include "command.h"
#include "common.h"
#include "data/npy.h"
#include "kappa/error.h"
#include "page_option.h"
#include "report/analysis_text.h"
#include "report/analyze_vector.h"
#include "report/json.h"
#include "report/slices.h"

namespace kappa {
namespace {

struct AnalyzeCommand {
  CommonOptions common;
  PageOption page;
  AnalyzeOptions options;
  std::string matrix = "hessian";
  std::string direction;
  bool per_layer = false;
  std::optional<double> gradient_tolerance;
  std::optional<double> momentum;
  OptionTable table;

  AnalyzeCommand() {
    table.group("Questions");
    table.count("--top", "largest eigenvalues (default 10)", 0, options.num_top);
    table.count("--bottom", "smallest eigenvalues (default 3)", 0, options.num_bottom);
    table.choice("--operator", {"hessian", "ggn", "fisher"},
                 "whose eigenvalues: Hessian (default), Gauss-Newton or Fisher matrix", matrix);
    table.number("--learning-rate", "A", "say what this rate would do", options.learning_rate);
    table.number("--momentum", "B", "heavy-ball momentum used with it", momentum);
    table.text("--direction", "V.npy", "curvature along v, and its parts along eigenvectors",
               direction);
    table.flag("--per-layer", "largest eigenvalue of each parameter's diagonal block", per_layer);
    table.flag("--trace", "trace, with its standard error", options.trace);
    table.flag("--density", "spectral density", options.density);
    table.count("--probes", "random vectors of the density (default 10)", 1,
                options.density_probes);
    table.count("--steps", "Lanczos steps of each (default 80)", 2, options.density_steps);
    table.number("--tolerance", "T", "relative residual of eigenvalues (default 1e-4)",
                 options.tolerance);
    table.number("--gradient-tolerance", "T",
                 "|gradient| relative to max(1, |f|) at which the point counts as critical "
                 "(default 1e-8, f32 1e-5)",
                 gradient_tolerance);
    table.count("--max-products", "limit of Hessian products for eigenvalues (default 2000)", 1,
                options.max_products);
    common.add_to(table);
    page.add_to(table);
  }
};

void refuse_for_vectors(const AnalyzeCommand& command, const LoadedObjective& loaded) {
  const auto refuse = [&](bool asked, const char* option) {
    if (asked) (void)loaded.require_scalar(option);
  };
  refuse(command.matrix != "hessian", "--operator");
  refuse(command.options.learning_rate.has_value(), "--learning-rate");
  refuse(!command.direction.empty(), "--direction");
  refuse(command.per_layer, "--per-layer");
  refuse(command.options.trace, "--trace");
  refuse(command.options.density, "--density");
  refuse(command.common.l2 != 0, "--l2");
}

void prepare(AnalyzeCommand& command, const LoadedObjective& loaded) {
  const Objective& objective = *loaded.scalar;
  AnalyzeOptions& options = command.options;
  options.seed = static_cast<std::uint64_t>(command.common.seed);
  options.gradient_tolerance =
      command.gradient_tolerance.value_or(objective.parts().dtype == DType::f32 ? 1e-5 : 1e-8);
  if (command.momentum) {
    if (!options.learning_rate) {
      throw Error(ErrorKind::usage, "--momentum belongs to --learning-rate A; give both");
    }
    options.momentum = *command.momentum;
  }
  if (options.num_bottom == 0 && objective.num_samples() > 0) options.local_model = false;
  if (command.matrix != "hessian") {
    if (!objective.parts().model) {
      throw Error(
          ErrorKind::unsupported,
          fmt::format("--operator {}: the function is neither a loss over a model's outputs "
                      "nor a sum of squares; use the Hessian",
                      command.matrix));
    }
    options.matrix = CurvatureMatrix::gauss_newton;
    if (command.matrix == "fisher") {
      if (!objective.parts().fisher_is_gauss_newton) {
        throw Error(
            ErrorKind::unsupported,
            fmt::format(
                "--operator fisher: {} is no log-likelihood in its natural parameter, so "
                "its exact Fisher matrix is not the Gauss-Newton matrix; use --operator ggn",
                loaded.summary.loss.empty() ? "the formula" : "loss " + loaded.summary.loss));
      }
      options.matrix = CurvatureMatrix::fisher;
    }
  }
  if (!command.direction.empty()) {
    const StoredArray v = read_npy(command.direction);
    if (v.size() != objective.dimension()) {
      throw Error(ErrorKind::shape,
                  fmt::format("--direction: {} has {} entries, the function {} parameters",
                              command.direction, v.size(), objective.dimension()));
    }
    options.direction = v.to_doubles();
  }
  if (command.per_layer) {
    for (const Parameter& p : objective.parameters().list()) {
      if (p.varies) options.blocks.push_back({p.name, p.offset, num_elements(p.shape)});
    }
  }
}

int run(const std::vector<std::string>& arguments) {
  AnalyzeCommand command;
  command.common.take_objective(command.table.parse(arguments));
  command.page.check(command.common);
  const LoadedObjective loaded = load_objective(command.common);
  ProgressLine progress(command.common.quiet);
  Analysis analysis;
  if (loaded.vector) {
    refuse_for_vectors(command, loaded);
    analysis = analyze_vector(*loaded.vector, loaded.w);
  } else {
    prepare(command, loaded);
    command.options.progress = progress.callback();
    analysis = analyze(*loaded.scalar, loaded.w, command.options);
    analysis.objective = loaded.summary;
  }
  progress.clear();
  if (!command.common.json_to_stdout()) {
    print_out(to_text(analysis, stdout_style(command.common.quiet)));
  }
  if (!command.common.quiet) print_notes(loaded.notes);
  print_warnings(analysis.warnings);
  if (!command.common.json.empty() || command.page.wanted()) {
    Json json = to_json(analysis);
    if (command.page.data_wanted(command.common) && loaded.scalar) {
      Json slices = slices_json(*loaded.scalar, loaded.w, analysis);
      if (!slices.empty()) json["slices"] = std::move(slices);
    }
    write_json(command.common, dump(json));
    command.page.write(json);
  }
  if (interrupted()) return exit_interrupted;
  return analysis.complete ? exit_done : exit_unanswered;
}

std::string help() {
  return "Usage: kappa analyze OBJECTIVE [options]\n"
         "\n"
         "The curvature of a function at a point: value, gradient, eigenvalues of the\n"
         "Hessian, shape, second-derivative test, condition number, learning rates, Newton\n"
         "step, and what each means for the next step.\n"
         "\n"
         "  kappa analyze \"x^2 - y^2\" --at x=0,y=0\n"
         "  kappa analyze \"(x + 1, x*y, x - z)\" --at x=1,y=2,z=3\n"
         "  kappa analyze \"(y - a*exp(-b*t))^2\" --data decay.csv --at a=1,b=0.1\n"
         "  kappa analyze mlp:784-64-10:tanh --data fashion-mnist --scale 1/255 \\\n"
         "        --samples 10000 --density --trace --learning-rate 0.1\n" +
         AnalyzeCommand().table.help();
}

}  // namespace

const Command analyze_command{"analyze", "the curvature at a point and what it means", run, help};

}  // namespace kappa
