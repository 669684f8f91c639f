#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <new>
#include <string>
#include <vector>

#include "command.h"
#include "frontend/formula.h"
#include "frontend/nearest.h"
#include "kappa/error.h"
#include "kappa/version.h"
#include "terminal.h"

namespace kappa {
namespace {

const Command* const commands[] = {&analyze_command, &minimize_command,  &derive_command,
                                   &compare_command, &landscape_command, &report_command,
                                   &info_command};

std::string overview() {
  std::string text =
      "kappa: what shape is a function here, and what does that mean for the next step?\n"
      "\n"
      "Usage: kappa COMMAND OBJECTIVE [options]\n"
      "\n"
      "Commands:\n";
  for (const Command* command : commands) {
    text += "  " + std::string(command->name);
    text.append(10 - std::string(command->name).size(), ' ');
    text += command->text;
    text += '\n';
  }
  text +=
      "\n"
      "OBJECTIVE is one of\n"
      "  a formula in quotes      \"100*(y - x^2)^2 + (1 - x)^2\"\n"
      "  a dense network          mlp:784-64-10:tanh, with --data\n"
      "  a convolutional network  cnn:1x28x28-8c5-p2-16c5-p2-10:relu, with --data\n"
      "  a transformer encoder    transformer:28x28-d64-h4-l2-10, with --data\n"
      "  an ONNX model            model.onnx, with --data\n"
      "\n"
      "Examples:\n"
      "  kappa analyze \"100*(y - x^2)^2 + (1 - x)^2\" --at x=-1.2,y=1\n"
      "  kappa minimize \"100*(y - x^2)^2 + (1 - x)^2\" --at x=-1.2,y=1\n"
      "  kappa derive \"x^2*sin(y)\" --at x=1,y=2 --print\n"
      "  kappa train mlp:784-64-10:tanh --data fashion-mnist --scale 1/255 \\\n"
      "        --method sgd --epochs 3 --out weights.npz\n"
      "  kappa analyze mlp:784-64-10:tanh --data fashion-mnist --scale 1/255 \\\n"
      "        --weights weights.npz --samples 10000\n"
      "\n"
      "kappa COMMAND --help lists the options of a command.\n"
      "Exit codes: 0 done, 1 no full answer (not converged), 2 bad input, 130 Ctrl-C.\n";
  return text;
}

const Command* find_command(const std::string& name) {
  for (const Command* command : commands) {
    if (name == command->name || (name == "train" && command == &minimize_command)) return command;
  }
  return nullptr;
}

int run(const std::vector<std::string>& arguments) {
  if (arguments.empty()) {
    std::fputs(overview().c_str(), stderr);
    return exit_bad_input;
  }
  const std::string& first = arguments[0];
  const auto is_help = [](const std::string& text) { return text == "--help" || text == "-h"; };
  if (is_help(first) || first == "help") {
    const Command* command = arguments.size() > 1 ? find_command(arguments[1]) : nullptr;
    print_out(command != nullptr ? command->help() : overview());
    return exit_done;
  }
  if (first == "--version" || first == "-V") {
    print_out(std::string("kappa ") + version() + "\n");
    return exit_done;
  }
  const Command* command = find_command(first);
  if (command == nullptr) {
    std::vector<std::string> names{"train"};
    for (const Command* known : commands) names.emplace_back(known->name);
    throw Error(ErrorKind::usage, "unknown command '" + first.substr(0, 40) + "'" +
                                      did_you_mean(first, names) +
                                      "; kappa --help lists the commands");
  }
  const std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  if (std::any_of(rest.begin(), rest.end(), is_help)) {
    print_out(command->help());
    return exit_done;
  }
  catch_interrupts();
  return command->run(rest);
}

// One line, whatever stands in the message.
void complain(std::string message) {
  for (char& c : message) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
  }
  std::fprintf(stderr, "kappa: %s\n", message.c_str());
}

}  // namespace
}  // namespace kappa

int main(int argc, char** argv) {
  using namespace kappa;
  try {
    return run(std::vector<std::string>(argv + std::min(argc, 1), argv + argc));
  } catch (const FormulaError& error) {
    complain(error.what());
    if (stderr_is_terminal()) {
      std::fprintf(stderr, "%s\n", caret_excerpt(error.text(), error.offset()).c_str());
    }
  } catch (const Error& error) {
    complain(error.what());
  } catch (const std::bad_alloc&) {
    complain("not enough memory; take fewer --samples, a smaller --batch or --memory");
  } catch (const std::exception& error) {
    complain(std::string("internal error: ") + error.what() + "; please report it");
  }
  return exit_bad_input;
}
