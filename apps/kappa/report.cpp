#include "base/file.h"
#include "command.h"
#include "common.h"
#include "kappa/error.h"
#include "page_option.h"
#include "report/html.h"

namespace kappa {
namespace {

struct ReportCommand {
  PageOption page;
  OptionTable table;

  ReportCommand() {
    table.group("Output");
    page.add_to(table);
  }
};

int run(const std::vector<std::string>& arguments) {
  ReportCommand command;
  const std::vector<std::string> files = command.table.parse(arguments);
  if (files.empty()) {
    throw Error(ErrorKind::usage,
                "report takes the JSON of earlier results: kappa report RESULT.json [MORE.json] "
                "--html FILE");
  }
  if (!command.page.wanted()) {
    throw Error(ErrorKind::usage,
                "report: say what is wanted: --html FILE (- is standard output), --svg DIR or "
                "--plot");
  }
  std::vector<Json> results;
  for (const std::string& file : files) {
    results.push_back(Json::parse(read_file(file, std::int64_t{1} << 30), nullptr, false));
    if (results.back().is_discarded()) {
      throw Error(ErrorKind::data, file + " is no JSON; give a file written by --json");
    }
  }
  const Json result = results.size() == 1 ? results[0] : joined_results(results);
  if (command.page.html == "-") {
    print_out(to_html(result));
    command.page.html.clear();
  }
  command.page.write(result);
  return exit_done;
}

std::string help() {
  return "Usage: kappa report RESULT.json [MORE.json] --html FILE\n"
         "\n"
         "The page or the pictures of an earlier result of analyze, minimize, compare or\n"
         "landscape. The page is one file that opens offline in any browser; several\n"
         "results stand on it one below the other.\n"
         "\n"
         "  kappa analyze \"x^2 - y^2\" --at x=0,y=0 --json saddle.json\n"
         "  kappa report saddle.json --html saddle.html\n"
         "  kappa report training.json curvature.json --html network.html\n" +
         ReportCommand().table.help();
}

}  // namespace

const Command report_command{"report", "the page or pictures of an earlier result", run, help};

}  // namespace kappa
