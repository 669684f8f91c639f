// Second-order methods on networks against tuned stochastic gradient descent, on one thread:
//
//   networks_bench softmax | mlp [--samples N] [--work W]
//       loss (with l2 = 1e-3) against gradient-equivalents
//   networks_bench vsgd [--samples N] [--epochs E]
//       no rate given, against a grid of rates
//   networks_bench curves | mnist [--samples N] [--seconds S]
//       a deep autoencoder, equal time
//
// Counts of samples are multiples of 128: a short last mini-batch would be the noisiest step of SGD
// just before its loss is taken. --only TEXT runs the walks whose label contains TEXT; --out
// FILE.csv keeps every point of every walk. Time is the processor time of this program, so that a
// busy machine favours nobody; evaluating the training error for the table is charged to no method.

#include <fmt/format.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "bench/curves.h"
#include "function/make_objective.h"
#include "kappa/minimize.h"

namespace kappa {
namespace {

struct Point {
  double work;     // gradient-equivalents
  double seconds;  // processor time
  double loss;     // on all training samples
};

struct Walk {
  std::string label;
  std::vector<Point> points;
};

struct Contestant {
  std::string label;
  MinimizeOptions options;
};

/// When a walk ends; 0 is no limit.
struct Budget {
  double work = 0, seconds = 0;
};

using Arguments = std::map<std::string, std::string>;

double number(const Arguments& arguments, const char* name, double otherwise) {
  const auto found = arguments.find(name);
  return found == arguments.end() ? otherwise : std::atof(found->second.c_str());
}

double processor_seconds() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

/// What is plotted of a point; the objective's value where it is empty.
using Measured = std::function<double(std::span<const double> w)>;

Walk run(const Objective& objective, std::span<const double> start, const Contestant& contestant,
         const Budget& budget, const Measured& measured) {
  Walk walk{contestant.label, {}};
  const bool stochastic = contestant.options.max_epochs > 0;
  double begin = processor_seconds(), next_work = 0;
  MinimizeOptions options = contestant.options;
  options.on_iteration = [&](const IterationRecord& r, std::span<const double> w,
                             std::span<const double>) {
    const double work = r.gradient_equivalents, seconds = processor_seconds() - begin;
    const bool over = (budget.work > 0 && work >= budget.work) ||
                      (budget.seconds > 0 && seconds >= budget.seconds);
    // The record of a stochastic method holds a mean over the epoch's mini-batches.
    if (stochastic && work < next_work && !over) return true;
    next_work = 1.03 * work;
    const double loss = measured ? measured(w) : stochastic ? objective.value(w.data()) : r.value;
    walk.points.push_back({work, seconds, loss});
    begin += processor_seconds() - begin - seconds;
    return !over;
  };
  const MinimizeResult result = minimize(objective, start, options);
  if (stochastic && !measured &&
      walk.points.back().work < result.counts.gradient_equivalents - 1.5) {
    walk.points.push_back({result.counts.gradient_equivalents, processor_seconds() - begin,
                           objective.value(result.w.data())});
  }
  std::fprintf(stderr, "%-34s work %8.1f  %7.1f s  loss %.6g  %s\n", walk.label.c_str(),
               walk.points.back().work, walk.points.back().seconds, walk.points.back().loss,
               result.reason.criterion.c_str());
  return walk;
}

std::vector<Walk> race(const Objective& objective, const std::vector<Contestant>& contestants,
                       const Budget& budget, const Arguments& arguments,
                       std::vector<double> start = {}, const Measured& measured = {}) {
  if (start.empty()) start = objective.parameters().start();
  const auto only = arguments.find("--only");
  std::vector<Walk> walks;
  for (const Contestant& contestant : contestants) {
    if (only != arguments.end() && contestant.label.find(only->second) == std::string::npos) {
      continue;
    }
    walks.push_back(run(objective, start, contestant, budget, measured));
  }
  if (const auto out = arguments.find("--out"); out != arguments.end()) {
    std::FILE* file = std::fopen(out->second.c_str(), "w");
    if (file == nullptr) {
      std::fprintf(stderr, "cannot write %s\n", out->second.c_str());
      std::exit(2);
    }
    fmt::print(file, "label,gradient_equivalents,seconds,loss\n");
    for (const Walk& walk : walks) {
      for (const Point& p : walk.points) {
        fmt::print(file, "\"{}\",{:.1f},{:.3f},{:.6g}\n", walk.label, p.work, p.seconds, p.loss);
      }
    }
    std::fclose(file);
  }
  return walks;
}

bool is_sgd(const Walk& walk) { return walk.label.starts_with("sgd"); }

/// The least loss within a budget of work or seconds.
double best_within(const Walk& walk, double Point::*cost, double budget) {
  double best = INFINITY;
  for (const Point& p : walk.points) {
    if (p.*cost <= budget) best = std::fmin(best, p.loss);
  }
  return best;
}

/// The least work after which the loss is at most `loss`; infinite where it never is.
double work_to(const Walk& walk, double loss) {
  for (const Point& p : walk.points) {
    if (p.loss <= loss) return p.work;
  }
  return INFINITY;
}

std::unique_ptr<Objective> network(const std::string& layers, std::shared_ptr<const Dataset> data,
                                   const std::string& loss, const std::string& init,
                                   double l2 = 0) {
  ObjectiveSettings settings;
  settings.l2 = l2;
  settings.options.num_threads = 1;
  return make_network_objective(layers, std::move(data), loss, init, 0, {}, settings);
}

std::shared_ptr<Dataset> images(const std::string& spec, std::int64_t samples) {
  return std::make_shared<Dataset>(
      load_dataset(spec, {.num_samples = samples, .scale = 1.0 / 255}));
}

Contestant sgd(double rate, double momentum, double epochs, double decay = 0) {
  std::string label = fmt::format("sgd {:g}", rate);
  if (momentum > 0) label += fmt::format(", momentum {:g}", momentum);
  if (decay > 0) label += fmt::format(", decay {:g}", decay);
  return {label,
          {.method = "sgd",
           .method_options = {{"learning-rate", fmt::format("{}", rate)},
                              {"momentum", fmt::format("{}", momentum)},
                              {"decay", fmt::format("{}", decay)}},
           .max_epochs = epochs,
           .gradient_tolerance = 0}};
}

/// Loss against gradient-equivalents: how much more work the best of the grid needs.
int race_for_loss(const std::string& layers, const Arguments& arguments) {
  const auto objective = network(
      layers,
      images("fashion-mnist", static_cast<std::int64_t>(number(arguments, "--samples", 5120))),
      "cross-entropy", "uniform", number(arguments, "--l2", 1e-3));
  const double work = number(arguments, "--work", 1100);
  std::vector<Contestant> contestants = {
      {"lbfgs", {.method = "lbfgs", .gradient_tolerance = 1e-6}},
      {"hessian-free", {.method = "hessian-free", .gradient_tolerance = 1e-6}},
      {"hessian-free, curvature of 1000",
       {.method = "hessian-free", .gradient_tolerance = 1e-6, .minibatch = 1000}}};
  contestants.push_back(sgd(0.1, 0, work));
  contestants.push_back(sgd(0.3, 0, work, 0.1));
  for (const double rate : {0.01, 0.03}) contestants.push_back(sgd(rate, 0.9, work));
  for (const double rate : {0.03, 0.1}) contestants.push_back(sgd(rate, 0.9, work, 0.1));
  const auto walks = race(*objective, contestants, {.work = work}, arguments);

  fmt::print(
      "| gradient-equivalents | method | training loss | best SGD needs | times |\n"
      "| --- | --- | --- | --- | --- |\n");
  for (const double share : {0.1, 0.3, 0.6}) {
    for (const Walk& walk : walks) {
      if (is_sgd(walk)) continue;
      const double loss = best_within(walk, &Point::work, share * work);
      double needed = INFINITY;
      std::string by;
      for (const Walk& other : walks) {
        if (is_sgd(other) && work_to(other, loss) < needed) {
          needed = work_to(other, loss);
          by = other.label;
        }
      }
      const double own = work_to(walk, loss);
      fmt::print(
          "| {:.0f} | {} | {:.4g} | {} | {} |\n", own, walk.label, loss,
          by.empty() ? fmt::format("> {:.0f}", work) : fmt::format("{:.0f} ({})", needed, by),
          by.empty() ? fmt::format("> {:.1f}", work / own) : fmt::format("{:.1f}", needed / own));
    }
  }
  return 0;
}

int race_vsgd(const Arguments& arguments) {
  const double epochs = number(arguments, "--epochs", 10);
  for (const std::string layers : {"mlp:784-10", "mlp:784-64-10:tanh"}) {
    const auto objective = network(
        layers,
        images("fashion-mnist", static_cast<std::int64_t>(number(arguments, "--samples", 10240))),
        "cross-entropy", "uniform");
    std::vector<Contestant> contestants = {
        {"vsgd", {.method = "vsgd", .max_epochs = epochs, .gradient_tolerance = 0}},
        {"vsgd global",
         {.method = "vsgd",
          .method_options = {{"rates", "global"}},
          .max_epochs = epochs,
          .gradient_tolerance = 0}}};
    for (const double rate : {0.003, 0.01, 0.03, 0.1, 0.3, 1.0}) {
      contestants.push_back(sgd(rate, 0, epochs));
    }
    const auto walks = race(*objective, contestants, {}, arguments);
    fmt::print("{} after {:g} epochs\n\n| method | training loss |\n| --- | --- |\n", layers,
               epochs);
    for (const Walk& walk : walks) {
      fmt::print("| {} | {:.4f} |\n", walk.label, walk.points.back().loss);
    }
  }
  return 0;
}

/// Sparse random start (Martens 2010, section 5): 15 inputs of every unit have weights of N(0, 1),
/// all other weights and the biases are 0.
std::vector<double> sparse_start(const Objective& objective) {
  std::vector<double> w(static_cast<std::size_t>(objective.dimension()), 0.0);
  std::uint64_t stream = 0;
  for (const Parameter& parameter : objective.parameters().list()) {
    Random random(0, stream++);
    if (parameter.shape.size() != 2) continue;
    const std::int64_t units = parameter.shape[0], inputs = parameter.shape[1];
    for (std::int64_t unit = 0; unit < units; ++unit) {
      double* row = w.data() + parameter.offset + unit * inputs;
      std::array<double, 15> normal{};
      const std::int64_t connections = std::min<std::int64_t>(15, inputs);
      random.fill_normal(connections, normal.data());
      for (std::int64_t k = 0; k < connections;) {
        double& weight = row[random.bits() % static_cast<std::uint64_t>(inputs)];
        if (weight == 0) weight = normal[static_cast<std::size_t>(k++)];
      }
    }
  }
  return w;
}

int race_autoencoders(bool curves, const Arguments& arguments) {
  const auto samples = static_cast<std::int64_t>(number(arguments, "--samples", 1000));
  std::shared_ptr<Dataset> data;
  if (curves) {
    data = bench::curve_images(samples, 1);
  } else {
    const char* folder = std::getenv("KAPPA_TEST_DATA");
    const std::string base = std::string(folder == nullptr ? "." : folder) + "/mnist/train-";
    data = images(base + "images-idx3-ubyte.gz," + base + "labels-idx1-ubyte.gz", samples);
    std::vector<float> pixels(static_cast<std::size_t>(samples * data->num_features()));
    copy_inputs(*data, Rows::range(0, samples), pixels.data());
    data->map = {};
    data->num_classes = 0;
    data->x = {{samples, data->x.row_size()}, std::move(pixels)};
    data->y = data->x;
  }
  const bool tanh = arguments.contains("--tanh");
  const auto objective = network(std::string("mlp:784-400-200-100-50-25-6-25-50-100-200-400-784:") +
                                     (tanh ? "tanh" : "sigmoid"),
                                 data, "bce", "xavier");
  const double seconds = number(arguments, "--seconds", 30);
  std::vector<float> x(static_cast<std::size_t>(samples * data->num_features()));
  copy_inputs(*data, Rows::range(0, samples), x.data());
  const auto squared_error = [&](std::span<const double> w) {
    std::int64_t width = 0;
    const std::vector<double> z = objective->outputs(w.data(), width);
    double sum = 0;
    for (std::size_t i = 0; i < z.size(); ++i) {
      const double r = 1 / (1 + std::exp(-z[i])) - static_cast<double>(x[i]);
      sum += r * r;
    }
    return sum / static_cast<double>(samples);
  };
  const auto minibatch =
      static_cast<std::int64_t>(number(arguments, "--minibatch", static_cast<double>(samples) / 4));
  const std::string part = fmt::format("hessian-free, curvature of {}", minibatch);
  std::vector<Contestant> contestants = {
      {part, {.method = "hessian-free", .gradient_tolerance = 0, .minibatch = minibatch}},
      {part + ", no preconditioner",
       {.method = "hessian-free",
        .method_options = {{"preconditioner", "none"}},
        .gradient_tolerance = 0,
        .minibatch = minibatch}},
      {"hessian-free", {.method = "hessian-free", .gradient_tolerance = 0}}};
  for (const double rate : {3.0, 10.0, 30.0, 100.0}) {
    for (const double momentum : {0.9, 0.95, 0.99}) {
      contestants.push_back(sgd(rate * 10 * (1 - momentum), momentum, 1e6));
    }
  }
  auto walks =
      race(*objective, contestants, {.seconds = seconds}, arguments,
           arguments.contains("--dense") ? std::vector<double>{} : sparse_start(*objective),
           squared_error);
  fmt::print("squared error of an image, mean over {} training images\n\n| method |", samples);
  const std::vector<double> times = {seconds / 16, seconds / 8, seconds / 4, seconds / 2, seconds};
  for (const double t : times) fmt::print(" {:g} s |", t);
  fmt::print("\n| --- |");
  for (std::size_t i = 0; i < times.size(); ++i) fmt::print(" --- |");
  for (const Walk& walk : walks) {
    fmt::print("\n| {} |", walk.label);
    for (const double t : times) {
      fmt::print(" {:.3f} |", best_within(walk, &Point::seconds, 1.02 * t));
    }
  }
  fmt::print("\n");
  return 0;
}

int usage() {
  std::fprintf(
      stderr,
      "usage: networks_bench softmax | mlp | vsgd | curves | mnist [--samples N] "
      "[--work W] [--l2 L] [--epochs E] [--seconds S] [--minibatch B] [--damping D] [--only TEXT] "
      "[--out FILE.csv]\n");
  return 2;
}

int main(int argc, char** argv) {
  Arguments arguments;
  for (int i = 2; i + 1 < argc; i += 2) arguments[argv[i]] = argv[i + 1];
  const std::string name = argc > 1 && argc % 2 == 0 ? argv[1] : "";
  if (name == "softmax") return race_for_loss("mlp:784-10", arguments);
  if (name == "mlp") return race_for_loss("mlp:784-64-10:tanh", arguments);
  if (name == "vsgd") return race_vsgd(arguments);
  if (name == "curves" || name == "mnist") return race_autoencoders(name == "curves", arguments);
  return usage();
}

}  // namespace
}  // namespace kappa

int main(int argc, char** argv) { return kappa::main(argc, argv); }
