#include "page_option.h"

#include "base/file.h"
#include "kappa/error.h"
#include "report/html.h"
#include "report/plot_text.h"
#include "report/svg/pictures.h"

namespace kappa {

void PageOption::add_to(OptionTable& table) {
  table.text("--html", "FILE", "results as a page with charts, one file that opens offline", html);
  table.text("--svg", "DIR", "each chart as a file NAME.svg in this folder", svg);
  table.flag("--plot", "curves and contours in the terminal, below the report", plot);
}

void PageOption::check(const CommonOptions& common) const {
  if (plot && common.json_to_stdout()) {
    throw Error(ErrorKind::usage, "--plot prints to standard output, where --json - writes");
  }
  if (!html.empty()) {
    require_report_page();
    check_writable(html);
  }
  if (!svg.empty()) check_picture_folder(svg);
}

void PageOption::write(const Json& result) const {
  if (!html.empty()) write_file(html, to_html(result));
  if (!svg.empty()) write_pictures(svg, result);
  if (plot) print_out(plot_text(result, stdout_style(false)));
}

}  // namespace kappa
