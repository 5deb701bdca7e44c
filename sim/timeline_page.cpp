// A timeline as a page: the image, the same facts as a table, and the reports in full.
#include <fstream>

#include "carveout_sim/timeline.hpp"
#include "story.hpp"
#include "text.hpp"
#include "timeline_style.hpp"

namespace carveout::sim {
namespace {

constexpr std::string_view kPageStyle = R"(<style>
  :root { color-scheme: light dark }
  body { font: 15px/1.5 system-ui, sans-serif; margin: 1.5rem }
  .picture { overflow-x: auto }
  table { border-collapse: collapse; margin: 1rem 0 }
  th, td { border: 1px solid #8884; padding: .25rem .6rem; text-align: left; vertical-align: top }
  .mistake td { outline: 2px solid #d5473a; outline-offset: -2px }
  .itself td { font-style: italic }
  pre { overflow-x: auto; border-left: 3px solid #8888; padding-left: 1rem }
</style>
)";

void cell(std::string& out, std::string_view words) {
  out += joined({"<td>", escaped(words), "</td>"});
}

std::string table(const Story& story) {
  std::string out =
      "<table>\n<caption>After each step: what the cache has of a line, and what RAM "
      "holds.</caption>\n"
      "<tr><th>moment</th><th>who</th><th>what</th><th>whose it is</th>";
  for (const PhysAddr line : story.lines()) {
    const std::string at = " at " + hex(story.shown(line).base.raw());
    for (std::uint32_t cpu = 0; cpu < story.run().cpus(); ++cpu) {
      out += joined({"<th>cache of CPU ", std::to_string(cpu), at, "</th>"});
    }
    out += joined({"<th>RAM", at, "</th>"});
  }
  out += "</tr>\n";
  for (std::size_t i = 0; i < story.columns().size(); ++i) {
    const Column& column = story.columns()[i];
    const Step& step = story.first_of(column);
    const bool itself = !column.left_out && step.actor == Actor::hardware;
    out += story.mistake() == i ? "<tr class=\"mistake\">"
           : itself             ? "<tr class=\"itself\">"
                                : "<tr>";
    cell(out, column.left_out ? "" : std::to_string(step.moment));
    cell(out, story.actor_of(column));
    std::string deed = story.deed_of(column);
    if (const std::string implied = story.implied_by(column); !implied.empty()) {
      deed += "; the cache " + implied;
    }
    if (story.mistake() == i) {
      deed += ". The mistake: " + title_of(story) + ". " + story.wrong_in_words();
    }
    cell(out, deed);
    cell(out, story.owner(column));
    for (const PhysAddr line : story.lines()) {
      for (std::uint32_t cpu = 0; cpu < story.run().cpus(); ++cpu) {
        std::string state{name_of(story.cell(line, cpu, column))};
        if (story.store_waits(line, cpu, column)) state += ", a store waits";
        cell(out, state + " " + story.cached_bytes(line, cpu, column));
      }
      cell(out, story.ram_bytes(line, column));
    }
    out += "</tr>\n";
  }
  return out + "</table>\n";
}

}  // namespace

std::string to_html(const RunRecord& run, const std::string& failing) {
  const Story story{run};
  const std::string title = escaped(title_of(story));
  std::string out = "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n";
  out += joined({"<title>", title, "</title>\n", kPageStyle, "<h1>", title, "</h1>\n"});
  if (!failing.empty()) out += joined({"<pre>", escaped(failing), "</pre>\n"});
  out += joined({"<div class=\"picture\">\n", to_svg(run), "</div>\n", table(story)});
  for (const Report& report : run.reports()) {
    out += joined({"<pre>", escaped(report.text()), "</pre>\n"});
  }
  return out + "</html>\n";
}

void write_timeline(const std::filesystem::path& to, const Program& run, const Failing& failing) {
  RunRecord record;
  {
    // Gone before the record is read: a machine that lives on is looked at one last time.
    Adversary again = Adversary::replaying(failing.shortest);
    again.show_to(record);
    static_cast<void>(run(again));
  }
  std::ofstream file;
  file.exceptions(std::ios::badbit | std::ios::failbit);
  file.open(to);
  file << (to.extension() == ".svg" ? to_svg(record) : to_html(record, to_text(failing)));
  file.close();
}

}  // namespace carveout::sim
