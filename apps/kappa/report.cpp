#include "base/file.h"
#include "command.h"
#include "common.h"
#include "kappa/error.h"
#include "report/html.h"

namespace kappa {
namespace {

struct ReportCommand {
  std::string html;
  OptionTable table;

  ReportCommand() {
    table.group("Output");
    table.text("--html", "FILE", "the page; - is standard output", html);
  }
};

int run(const std::vector<std::string>& arguments) {
  ReportCommand command;
  const std::vector<std::string> files = command.table.parse(arguments);
  if (files.size() != 1) {
    throw Error(ErrorKind::usage,
                "report takes one file, the JSON of an earlier result: "
                "kappa report RESULT.json --html FILE");
  }
  if (command.html.empty()) {
    throw Error(ErrorKind::usage, "report: --html FILE says where the page goes");
  }
  const std::string text = read_file(files[0], std::int64_t{1} << 30);
  const Json result = Json::parse(text, nullptr, false);
  if (result.is_discarded()) {
    throw Error(ErrorKind::data, files[0] + " is no JSON; give a file written by --json");
  }
  const std::string page = to_html(result);
  if (command.html == "-") {
    print_out(page);
  } else {
    write_file(command.html, page);
  }
  return exit_done;
}

std::string help() {
  return "Usage: kappa report RESULT.json --html FILE\n"
         "\n"
         "The page of an earlier result of analyze, minimize or compare: one file that opens\n"
         "offline in any browser.\n"
         "\n"
         "  kappa analyze \"x^2 - y^2\" --at x=0,y=0 --json saddle.json\n"
         "  kappa report saddle.json --html saddle.html\n" +
         ReportCommand().table.help();
}

}  // namespace

const Command report_command{"report", "the page of an earlier result", run, help};

}  // namespace kappa
