#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "base/file.h"
#include "command.h"
#include "common.h"
#include "data/npz.h"
#include "frontend/onnx/model.h"
#include "kappa/error.h"
#include "minimize_options.h"
#include "page_option.h"
#include "report/json.h"
#include "report/minimization_text.h"

namespace kappa {
namespace {

struct MinimizeCommand {
  CommonOptions common;
  PageOption page;
  WalkOptions walk;
  std::string method = "auto";
  std::string out, checkpoint;
  double checkpoint_every = 5;
  bool resume = false, standard_errors = false;
  OptionTable table;

  MinimizeCommand() {
    table.group("Method");
    table.text("--method", "NAME[,NAME]",
               "auto (default), or one or several one after the other of " + method_names(),
               method);
    walk.add_to(table);
    table.flag("--standard-errors", "of a fit's parameters", standard_errors);
    table.text("--out", "FILE.npz|FILE.onnx",
               "write the parameters by name, or an ONNX model with them", out);
    table.text("--checkpoint", "DIR", "write checkpoints there", checkpoint);
    table.number("--checkpoint-every", "S", "seconds between them (default 5)", checkpoint_every);
    table.flag("--resume", "go on from the checkpoint, if there is one", resume);
    common.add_to(table);
    page.add_to(table);
  }
};

void write_parameters(const std::string& path, const Minimization& m) {
  NpzWriter writer(path);
  const bool single = m.objective.dtype == "f32";
  for (const NamedArrayValue& p : m.parameters) {
    if (single) {
      const std::vector<float> values(p.values.begin(), p.values.end());
      writer.add(p.name, StoredArrayView(values.data(), p.shape));
    } else {
      writer.add(p.name, StoredArrayView(p.values.data(), p.shape));
    }
  }
  writer.commit();
}

// The model with the parameters that varied; the others keep their bits.
void write_model(const std::string& path, const Minimization& m, LoadedObjective& loaded) {
  std::map<std::string, std::vector<double>> values;
  for (const NamedArrayValue& p : m.parameters) {
    if (p.varies) values[p.name] = p.values;
  }
  const std::int64_t rounded = write_onnx(*loaded.model, values, path);
  if (rounded > 0) {
    loaded.notes.push_back(fmt::format(
        "{} keeps the model's own element types: {} of its values are rounded", path, rounded));
  }
}

bool ends_with(const std::string& text, std::string_view end) {
  return std::string_view(text).ends_with(end);
}

int run(const std::vector<std::string>& arguments) {
  MinimizeCommand command;
  command.common.take_objective(command.table.parse(arguments));
  command.page.check(command.common);
  MinimizeOptions options = command.walk.build(command.method, command.common);
  options.checkpoint_directory = command.checkpoint;
  options.checkpoint_every_seconds = command.checkpoint_every;
  options.resume = command.resume;
  if (command.resume && command.checkpoint.empty()) {
    throw Error(ErrorKind::usage, "--resume needs --checkpoint DIR, where the run was left");
  }
  if (!command.out.empty()) {
    const bool onnx = ends_with(command.out, ".onnx");
    if (!onnx && !ends_with(command.out, ".npz")) {
      throw Error(ErrorKind::usage,
                  fmt::format("--out: {} is no .npz or .onnx file, the formats that parameters are "
                              "written in",
                              command.out));
    }
    if (onnx && !ends_with(command.common.objective, ".onnx")) {
      throw Error(ErrorKind::usage,
                  fmt::format("--out: {} would be an ONNX model, and {} is none; write .npz",
                              command.out, command.common.objective.substr(0, 40)));
    }
    check_writable(command.out);
  }
  LoadedObjective loaded = load_objective(command.common);
  const Objective& objective = loaded.require_scalar("minimize");
  if (command.standard_errors && objective.num_residuals() == 0) {
    throw Error(ErrorKind::unsupported,
                "--standard-errors: the objective is not a sum of squares, so it has no residuals "
                "to estimate errors from");
  }
  check_minimize_options(objective, options);
  ProgressLine progress(command.common.quiet);
  options.progress = progress.callback();
  std::optional<WalkPaths> paths;
  if (command.page.data_wanted(command.common)) paths.emplace(objective.dimension());
  const Minimization m = walk(loaded, options, command.standard_errors, paths ? &*paths : nullptr);
  progress.clear();
  if (!command.out.empty() && m.result.usable) {
    ends_with(command.out, ".onnx") ? write_model(command.out, m, loaded)
                                    : write_parameters(command.out, m);
  }
  if (!command.common.json_to_stdout()) {
    print_out(to_text(m, stdout_style(command.common.quiet)));
  }
  if (!command.common.quiet) print_notes(loaded.notes);
  print_warnings(m.result.warnings);
  print_warnings(m.warnings);
  if (!command.common.json.empty() || command.page.wanted()) {
    Json json = to_json(m);
    if (paths) {
      Json drawn = paths_json(*paths, command.walk, command.common, loaded, progress.callback());
      if (!drawn.empty()) json["paths"] = std::move(drawn);
      progress.clear();
    }
    write_json(command.common, dump(json));
    command.page.write(json);
  }
  if (interrupted() || m.result.status == MinimizeStatus::interrupted) return exit_interrupted;
  if (m.result.status == MinimizeStatus::converged) return exit_done;
  // Epochs that were asked for and done are an answer as asked.
  return m.result.usable && m.result.reason.criterion == "max_epochs" ? exit_done : exit_unanswered;
}

std::string method_table() {
  std::string out = "\nMethods and their settings (--option KEY=VALUE):\n";
  for (const MethodInfo& method : minimize_methods()) {
    std::string left = "  " + method.name;
    for (const std::string& line : wrapped(method.text, 60)) {
      out += fmt::format("{:<20}{}\n", left, line);
      left.clear();
    }
    for (const OptionInfo& option : method.options) {
      const std::string value =
          option.choices.empty() ? fmt::format("{:g}", option.default_value)
                                 : option.choices[static_cast<std::size_t>(option.default_value)];
      std::string key = fmt::format("    {}={}", option.name, value);
      if (key.size() > 26) {
        out += key + "\n";
        key.clear();
      }
      std::string text = option.text;
      if (!option.choices.empty()) text += fmt::format(" ({})", fmt::join(option.choices, ", "));
      for (const std::string& line : wrapped(text, 52)) {
        out += fmt::format("{:<28}{}\n", key, line);
        key.clear();
      }
    }
  }
  return out;
}

std::string help() {
  return "Usage: kappa minimize OBJECTIVE [options]     (kappa train is the same)\n"
         "\n"
         "Walks from the point to a minimum and says how it went and what kind of point\n"
         "it found.\n"
         "\n"
         "  kappa minimize \"100*(y - x^2)^2 + (1 - x)^2\" --at x=-1.2,y=1\n"
         "  kappa minimize \"(y - a*exp(-b*t))^2\" --data decay.csv --at a=1,b=0.1 \\\n"
         "        --standard-errors\n"
         "  kappa train mlp:784-64-10:tanh --data fashion-mnist --scale 1/255 \\\n"
         "        --method sgd --epochs 3 --out weights.npz\n" +
         MinimizeCommand().table.help() + method_table();
}

}  // namespace

const Command minimize_command{"minimize", "walk to a minimum (alias: train)", run, help};

}  // namespace kappa
