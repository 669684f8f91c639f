#include "page_option.h"

#include "base/file.h"
#include "common.h"
#include "report/html.h"

namespace kappa {

void PageOption::add_to(OptionTable& table) {
  table.text("--html", "FILE", "results as a page with charts, one file that opens offline", path);
}

void PageOption::check() const {
  if (!wanted()) return;
  require_report_page();
  check_writable(path);
}

void PageOption::write(const Json& result) const {
  if (wanted()) write_file(path, to_html(result));
}

}  // namespace kappa
