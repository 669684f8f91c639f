#include <fmt/format.h>

#include <chrono>

#include "command.h"
#include "common.h"
#include "kappa/error.h"
#include "page_option.h"
#include "report/landscape_axes.h"
#include "report/landscape_checkpoint.h"
#include "report/landscape_report.h"
#include "values.h"

namespace kappa {
namespace {

struct LandscapeCommand {
  CommonOptions common;
  PageOption page;
  std::vector<std::string> along, range;
  std::string to, checkpoint;
  std::int64_t points = 0;
  double tolerance = 1e-4, checkpoint_every = 5;
  bool resume = false;
  OptionTable table;

  LandscapeCommand() {
    table.group("Picture");
    table.list("--along", "D[,D]",
               "one or two directions: top, bottom (eigenvectors), gradient, random "
               "(filter-normalised for networks), each with :K for the K-th; a parameter's name; "
               "FILE.npy (default: the parameters of a formula of one or two, random,random for "
               "networks, else top,bottom)",
               along);
    table.text("--to", "POINT",
               "the line from the point (0) to this one (1): FILE.npz or x=1,y=2; a first axis",
               to);
    table.list("--range", "R|A:B[,C:D]", "from -R to R, or from A to B, on each axis", range);
    table.count("--points", "places on an axis (default: a line 101, on data 51; a plane 51, 25)",
                2, points);
    table.number("--tolerance", "T", "relative residual of eigenvectors (default 1e-4)", tolerance);
    table.text("--checkpoint", "DIR", "keep the values found so far there", checkpoint);
    table.number("--checkpoint-every", "S", "seconds between writes (default 5)", checkpoint_every);
    table.flag("--resume", "go on from the values kept there, if there are any", resume);
    common.add_to(table);
    page.add_to(table);
  }
};

std::pair<double, double> parse_range(const std::string& text) {
  const std::size_t colon = text.find(':');
  std::pair<double, double> range;
  if (colon == std::string::npos) {
    range.second = parse_number("--range", text);
    range.first = -range.second;
  } else {
    range = {parse_number("--range", text.substr(0, colon)),
             parse_number("--range", text.substr(colon + 1))};
  }
  if (!(range.first < range.second)) {
    throw Error(ErrorKind::value,
                fmt::format("--range: '{}' is empty; give R > 0, or A:B with A < B", text));
  }
  return range;
}

int run(const std::vector<std::string>& arguments) {
  LandscapeCommand command;
  command.common.take_objective(command.table.parse(arguments));
  command.page.check(command.common);
  if (command.resume && command.checkpoint.empty()) {
    throw Error(ErrorKind::usage, "--resume needs --checkpoint DIR, where the values were kept");
  }
  if (!(command.tolerance > 0 && command.tolerance < 1)) {
    throw Error(ErrorKind::value, "--tolerance must be in (0, 1)");
  }
  LandscapeRequest request;
  request.along = command.along;
  request.num_points = command.points;
  request.seed = static_cast<std::uint64_t>(command.common.seed);
  request.tolerance = command.tolerance;
  for (const std::string& text : command.range) request.ranges.push_back(parse_range(text));
  const LoadedObjective loaded = load_objective(command.common);
  const Objective& objective = loaded.require_scalar("landscape");
  if (!command.to.empty()) {
    request.to = point_from(objective.parameters(), parse_point({command.to}, "--to"), "--to");
    request.to_name = command.to;
  }
  ProgressLine progress(command.common.quiet);
  request.progress = progress.callback();

  const auto start = std::chrono::steady_clock::now();
  LandscapeReport report;
  report.objective = loaded.summary;
  report.axes = landscape_axes(objective, loaded.w, request, report.warnings);
  report.model = landscape_model(objective, loaded.w, report.axes);
  LandscapeOptions options;
  options.progress = request.progress;
  // Samples in several micro-batches keep the threads busy; else the points do.
  if (objective.num_samples() == 0 || objective.cost().num_batches == 1) {
    options.num_threads = command.common.num_threads();
  }
  std::optional<LandscapeCheckpoint> checkpoint;
  auto last_write = start;
  if (!command.checkpoint.empty()) {
    checkpoint.emplace(command.checkpoint, loaded.w, report.axes, report.model.value);
    const std::vector<double> known = checkpoint->read();  // refuses another picture's folder
    if (command.resume) options.known = known;
    options.on_values = [&](std::span<const double> values) {
      const auto now = std::chrono::steady_clock::now();
      if (std::chrono::duration<double>(now - last_write).count() < command.checkpoint_every) {
        return;
      }
      checkpoint->write(values);
      last_write = now;
    };
  }
  report.grid = landscape(objective, loaded.w, report.axes, options);
  if (checkpoint) checkpoint->write(report.grid.value);
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  progress.clear();

  if (!command.common.json_to_stdout()) {
    print_out(to_text(report, stdout_style(command.common.quiet)));
  }
  if (!command.common.quiet) print_notes(loaded.notes);
  if (!options.known.empty() && !command.common.quiet) {
    print_notes({fmt::format("went on behind {} values kept in {}", options.known.size(),
                             command.checkpoint)});
  }
  print_warnings(report.warnings);
  if (!command.common.json.empty() || command.page.wanted()) {
    const Json json = to_json(report);
    write_json(command.common, dump(json));
    command.page.write(json);
  }
  if (interrupted()) return exit_interrupted;
  return report.grid.complete && report.warnings.empty() ? exit_done : exit_unanswered;
}

std::string help() {
  return "Usage: kappa landscape OBJECTIVE [options]\n"
         "\n"
         "The function on a line or in a plane through the point, with its quadratic\n"
         "model.\n"
         "\n"
         "  kappa landscape \"100*(y - x^2)^2 + (1 - x)^2\" --at x=-1.2,y=1 --plot\n"
         "  kappa landscape mlp:784-64-10:tanh --data fashion-mnist --scale 1/255 \\\n"
         "        --samples 4096 --weights w.npz --along top,top --html plane.html\n"
         "  kappa landscape mlp:784-64-10:tanh --data fashion-mnist --scale 1/255 \\\n"
         "        --weights a.npz --to b.npz --html line.html\n" +
         LandscapeCommand().table.help();
}

}  // namespace

const Command landscape_command{"landscape", "the function on a line or in a plane through a point",
                                run, help};

}  // namespace kappa
