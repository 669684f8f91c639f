#include <fmt/format.h>

#include "command.h"
#include "common.h"
#include "kappa/error.h"
#include "kappa/version.h"
#include "minimize_options.h"
#include "page_option.h"
#include "report/json.h"
#include "report/minimization_text.h"

namespace kappa {
namespace {

struct CompareCommand {
  CommonOptions common;
  PageOption page;
  WalkOptions walk;
  std::vector<std::string> methods;
  OptionTable table;

  CompareCommand() {
    table.group("Methods");
    table.list("--methods", "A,B[,C]", "each walks from the same point: " + method_names(),
               methods);
    walk.add_to(table);
    common.add_to(table);
    page.add_to(table);
  }
};

int run(const std::vector<std::string>& arguments) {
  CompareCommand command;
  command.common.take_objective(command.table.parse(arguments));
  command.page.check(command.common);
  if (command.methods.empty()) {
    throw Error(ErrorKind::usage, "no --methods: name the methods to compare, e.g. gd,lbfgs");
  }
  const LoadedObjective loaded = load_objective(command.common);
  const Objective& objective = loaded.require_scalar("compare");
  std::vector<MinimizeOptions> options;
  for (const std::string& method : command.methods) {
    options.push_back(command.walk.build(method, command.common));
    check_minimize_options(objective, options.back());
  }
  ProgressLine progress(command.common.quiet);
  const ProgressCallback show = progress.callback();
  std::vector<Minimization> runs;
  std::optional<WalkPaths> paths;
  if (command.page.data_wanted(command.common)) paths.emplace(objective.dimension());
  for (std::size_t i = 0; i < options.size() && !interrupted(); ++i) {
    options[i].progress = [&](const Progress& p) {
      Progress named = p;
      if (named.task == "minimize") named.task = command.methods[i];
      return show(named);
    };
    runs.push_back(walk(loaded, options[i], false, paths ? &*paths : nullptr));
  }
  progress.clear();
  if (!command.common.json_to_stdout()) {
    print_out(to_text(runs, stdout_style(command.common.quiet)));
  }
  if (!command.common.quiet) print_notes(loaded.notes);
  if (!command.common.json.empty() || command.page.wanted()) {
    Json json;
    json["kappa"] = version();
    json["objective"] = to_json(loaded.summary);
    json["runs"] = Json::array();
    for (const Minimization& m : runs) {
      Json entry = to_json(m);
      entry.erase("kappa");
      entry.erase("objective");
      json["runs"].push_back(std::move(entry));
    }
    if (paths) {
      Json drawn = paths_json(*paths, command.walk, command.common, loaded, show);
      if (!drawn.empty()) json["paths"] = std::move(drawn);
      progress.clear();
    }
    write_json(command.common, dump(json));
    command.page.write(json);
  }
  if (interrupted()) return exit_interrupted;
  for (const Minimization& m : runs) {
    const bool done = m.result.status == MinimizeStatus::converged ||
                      (m.result.usable && m.result.reason.criterion == "max_epochs");
    if (!done) return exit_unanswered;
  }
  return exit_done;
}

std::string help() {
  return "Usage: kappa compare OBJECTIVE --methods A,B[,C] [options]\n"
         "\n"
         "Several methods from one start, side by side. Exit code 0 if all of them reached\n"
         "their goal.\n"
         "\n"
         "  kappa compare \"100*(y - x^2)^2 + (1 - x)^2\" --at x=-1.2,y=1 \\\n"
         "        --methods lbfgs,newton-cg,trust-region\n" +
         CompareCommand().table.help();
}

}  // namespace

const Command compare_command{"compare", "several methods from one start, side by side", run, help};

}  // namespace kappa
