#include <fmt/format.h>

#include "command.h"
#include "common.h"
#include "frontend/onnx/operator_table.h"
#include "kappa/version.h"
#include "report/analysis_text.h"
#include "report/json.h"

namespace kappa {
namespace {

struct InfoCommand {
  CommonOptions common;
  bool onnx_operators = false;
  OptionTable table;
  InfoCommand() {
    table.group("Lists");
    table.flag("--onnx-operators", "the operators that ONNX models may use, as a Markdown table",
               onnx_operators);
    common.add_to(table);
  }
};

std::string flops_text(double flops) {
  static constexpr const char* units[] = {"", " k", " M", " G", " T", " P"};
  std::size_t unit = 0;
  while (flops >= 1000 && unit + 1 < std::size(units)) {
    flops /= 1000;
    ++unit;
  }
  return fmt::format("{:.3g}{}flop", flops, unit == 0 ? " " : units[unit]);
}

void write_data(Text& text, const Dataset& data) {
  text.label("Data");
  text.words(data.source);
  text.line(fmt::format("x {} {}, {}", shape_text(data.x.shape), to_string(data.x.type()),
                        counted(data.num_features(), "feature")));
  if (data.has_targets()) {
    text.line(
        fmt::format("y {} {}{}", shape_text(data.y.shape), to_string(data.y.type()),
                    data.num_classes > 0 ? fmt::format(", {} classes", data.num_classes) : ""));
  }
  text.line(fmt::format("{} in memory", bytes_text(static_cast<double>(data.num_bytes()))));
}

Json cost_json(const ObjectiveCost& cost) {
  Json json;
  json["batch"] = cost.batch;
  json["num_batches"] = cost.num_batches;
  json["budget_bytes"] = cost.budget_bytes;
  json["reserved_bytes"] = cost.reserved_bytes;
  json["workspace_bytes"] = cost.workspace_bytes;
  json["residual_bytes"] = cost.residual_bytes;
  json["kept_batches"] = cost.kept_batches;
  json["num_workers"] = cost.num_workers;
  json["gradient_flops"] = cost.gradient_flops;
  json["setup_flops"] = cost.setup_flops;
  json["product_flops"] = cost.product_flops;
  return json;
}

int run(const std::vector<std::string>& arguments) {
  InfoCommand command;
  const std::vector<std::string> positional = command.table.parse(arguments);
  if (command.onnx_operators) {
    print_out(onnx_operator_table());
    return exit_done;
  }
  command.common.take_objective(positional);
  const LoadedObjective loaded = load_objective(command.common);
  Text text(stdout_style(command.common.quiet));
  Json json;
  json["kappa"] = version();
  json["objective"] = to_json(loaded.summary);
  write_objective(text, loaded.summary);

  text.label("Parameters");
  json["parameters"] = Json::array();
  std::size_t width = 4, listed = 0;
  for (const Parameter& p : loaded.parameters().list()) width = std::max(width, p.name.size());
  width = std::min<std::size_t>(width, 30);
  for (const Parameter& p : loaded.parameters().list()) {
    Json entry;
    entry["name"] = p.name;
    entry["shape"] = p.shape;
    entry["varies"] = p.varies;
    json["parameters"].push_back(std::move(entry));
    if (++listed > 40) continue;
    text.line(fmt::format("{:<{}}  {:<14} {:>12}{}", p.name.substr(0, width), width,
                          p.shape.empty() ? "number" : to_string(p.shape), num_elements(p.shape),
                          p.varies ? "" : "  fixed"));
  }
  if (listed > 40) text.line(fmt::format("... {} in all", listed));
  if (loaded.data) {
    write_data(text, *loaded.data);
    json["data"]["source"] = loaded.data->source;
    json["data"]["x"] = loaded.data->x.shape;
    json["data"]["y"] = loaded.data->y.shape;
    json["data"]["num_classes"] = loaded.data->num_classes;
    json["data"]["bytes"] = loaded.data->num_bytes();
  }
  if (loaded.table) {
    text.label("Data");
    text.words(loaded.table->source);
    std::string names;
    for (const Column& column : loaded.table->columns) {
      names += (names.empty() ? "" : ", ") + column.name;
    }
    text.words(counted(loaded.table->num_rows, "row") + " of " + names);
    json["data"]["source"] = loaded.table->source;
    json["data"]["num_rows"] = loaded.table->num_rows;
  }
  if (loaded.vector) {
    text.label("Functions");
    text.line(counted(loaded.vector->num_outputs(), "component"));
    json["num_outputs"] = loaded.vector->num_outputs();
  } else {
    const ObjectiveCost cost = loaded.scalar->cost(
        std::min<std::int64_t>(Objective::max_block(), loaded.summary.num_parameters));
    json["cost"] = cost_json(cost);
    text.label("Work");
    text.line(fmt::format("gradient         {:>14}", flops_text(cost.gradient_flops)));
    text.line(fmt::format("Hessian product  {:>14}, after {} once a point",
                          flops_text(cost.product_flops), flops_text(cost.setup_flops)));
    text.label("Memory");
    text.line(fmt::format("budget {}: {} at work at {} each",
                          memory_text(static_cast<double>(cost.budget_bytes)),
                          counted(cost.num_workers, "thread"),
                          memory_text(static_cast<double>(cost.workspace_bytes))));
    if (cost.reserved_bytes > 0) {
      text.line(fmt::format("{} of it for the program itself",
                            memory_text(static_cast<double>(cost.reserved_bytes))));
    }
    if (cost.num_samples > 0) {
      text.line(fmt::format("micro-batches of {}, {} in all", counted(cost.batch, "sample"),
                            cost.num_batches));
      text.words(fmt::format(
          "what products share: {} a micro-batch, kept for {} of {}{}",
          memory_text(static_cast<double>(cost.residual_bytes)), cost.kept_batches,
          cost.num_batches,
          cost.kept_batches < cost.num_batches ? "; the others are computed again each time" : ""));
      if (cost.kept_batches < cost.num_batches) {
        const double all =
            static_cast<double>(cost.reserved_bytes + cost.num_workers * cost.workspace_bytes) +
            static_cast<double>(cost.residual_bytes) * static_cast<double>(cost.num_batches);
        text.meaning(fmt::format("--memory {} would keep all of it", memory_text(all)));
      }
    }
    std::int64_t basis =
        lanczos_bytes(loaded.summary.num_parameters, {.num_top = 10, .num_bottom = 3});
    json["cost"]["lanczos_bytes"] = basis;
    text.line(fmt::format("eigenvalues (10 top, 3 bottom): {} of vectors at most",
                          memory_text(static_cast<double>(basis))));
  }
  if (!command.common.json_to_stdout()) print_out(text.str());
  if (!command.common.quiet) print_notes(loaded.notes);
  write_json(command.common, command.common.json.empty() ? "" : dump(json));
  return exit_done;
}

std::string help() {
  return "Usage: kappa info OBJECTIVE [options]\n"
         "\n"
         "Parameters, shapes, data, and the work and memory an analysis would take.\n"
         "Computes nothing long.\n"
         "\n"
         "  kappa info mlp:784-512-512-10:tanh --data fashion-mnist --memory 200M\n" +
         InfoCommand().table.help();
}

}  // namespace

const Command info_command{"info", "parameters, data, predicted work and memory", run, help};

}  // namespace kappa
