#include "picture/files.hpp"

#include <fmt/format.h>

#include <vector>

#include "output_files.hpp"
#include "picture/html.hpp"
#include "picture/layout.hpp"
#include "picture/svg.hpp"
#include "refusal.hpp"

namespace carveout::cli::picture {
namespace {

void check_name(std::string_view verb, std::string_view option, std::string_view file,
                std::string_view ending) {
  if (file.empty() || file == "-" || file.ends_with(ending)) return;
  throw Refusal{
      verb, fmt::format("{} writes {}, and '{}' has another name", option, ending.substr(1), file),
      fmt::format("NAME{}", ending)};
}

}  // namespace

void Files::check(std::string_view verb) const {
  check_name(verb, "--svg", svg, ".svg");
  check_name(verb, "--html", html, ".html");
  if (svg == "-" && html == "-") {
    throw Refusal{verb, "--svg and --html both go to standard output",
                  fmt::format("carveout {} --help", verb)};
  }
}

std::string written(const Files& files, std::string_view source, const Scene& scene) {
  const Layout layout = layout_of(scene);
  std::vector<OutputFile> drafts;
  std::string printed;
  const auto add = [&](const std::string& name, std::string content) {
    if (name == "-") {
      printed = std::move(content);
    } else if (!name.empty()) {
      drafts.push_back({name, std::move(content)});
    }
  };
  if (!files.svg.empty()) add(files.svg, svg_of(scene, layout));
  if (!files.html.empty()) add(files.html, page_of(source, scene, layout));
  write_files(drafts);
  return printed;
}

}  // namespace carveout::cli::picture
