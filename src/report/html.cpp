#include "report/html.h"

#include <string_view>

#include "kappa/error.h"
#include "report/page_data.h"

// The page is built by Vite into one file, and the assembler takes it in as it is: a megabyte as a
// C++ literal would cost seconds of compilation.
#ifdef KAPPA_PAGE_TEMPLATE
asm(".section .rodata\n"
    ".global kappa_page_begin\n"
    ".hidden kappa_page_begin\n"
    "kappa_page_begin:\n"
    ".incbin \"" KAPPA_PAGE_TEMPLATE
    "\"\n"
    ".global kappa_page_end\n"
    ".hidden kappa_page_end\n"
    "kappa_page_end:\n"
    ".byte 0\n"
    ".text\n");
extern "C" {
extern const char kappa_page_begin[] __attribute__((visibility("hidden")));
extern const char kappa_page_end[] __attribute__((visibility("hidden")));
}
#endif

namespace kappa {
namespace {

constexpr std::string_view placeholder = "KAPPA_RESULT_JSON";

std::string_view page() {
#ifdef KAPPA_PAGE_TEMPLATE
  return {kappa_page_begin, static_cast<std::size_t>(kappa_page_end - kappa_page_begin)};
#else
  return {};
#endif
}

void check_result(const Json& result) {
  if (result.is_object() && result.contains("results") && result["results"].is_array()) {
    for (const Json& part : result["results"]) check_result(part);
    return;
  }
  if (result.is_object() && result.contains("kappa") && result.contains("objective") &&
      result["objective"].is_object()) {
    const bool analysis =
        result.contains("eigenvalues") || result.contains("value") || result.contains("jacobian");
    if (analysis || result.contains("runs") || result.contains("landscape")) return;
  }
  throw Error(ErrorKind::data,
              "report page: the JSON is no result of kappa analyze, minimize, compare or landscape "
              "(it needs \"kappa\", \"objective\" and \"value\", \"jacobian\", \"runs\" or "
              "\"landscape\")");
}

}  // namespace

bool has_report_page() { return !page().empty(); }

void require_report_page() {
  if (!has_report_page()) {
    throw Error(ErrorKind::unsupported,
                "--html: this kappa was built without the report page; with npm installed, run "
                "cmake --build build/release --target web, then build kappa again (docs/page.md); "
                "--json holds the same results");
  }
}

Json joined_results(const std::vector<Json>& results) {
  Json json;
  for (const Json& result : results) check_result(result);
  json["kappa"] = results.at(0)["kappa"];
  json["objective"] = results.at(0)["objective"];
  json["results"] = results;
  return json;
}

std::string json_for_script(const Json& json) {
  const std::string text = json.dump(-1, ' ', false, nlohmann::detail::error_handler_t::replace);
  std::string out;
  out.reserve(text.size() + text.size() / 16);
  // These characters occur only inside JSON strings, where a \u escape says the same.
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const std::string_view rest(text.data() + i, text.size() - i);
    if (c == '<') {
      out += "\\u003c";
    } else if (c == '>') {
      out += "\\u003e";
    } else if (c == '&') {
      out += "\\u0026";
    } else if (rest.starts_with("\xe2\x80\xa8") || rest.starts_with("\xe2\x80\xa9")) {
      out += rest[2] == '\xa8' ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      out += c;
    }
  }
  return out;
}

std::string to_html(const Json& result) {
  require_report_page();
  check_result(result);
  const std::string_view text = page();
  const std::size_t at = text.find(placeholder);
  if (at == std::string_view::npos) {
    throw Error(ErrorKind::unsupported,
                "--html: the page built into kappa has no place for a result; build the target "
                "web again");
  }
  std::string html(text.substr(0, at));
  html += json_for_script(page_data(result));
  html += text.substr(at + placeholder.size());
  return html;
}

}  // namespace kappa
