#include "picture/html.hpp"

#include <fmt/format.h>

#include <initializer_list>
#include <iterator>
#include <string_view>
#include <utility>

#include "page.hpp"
#include "picture/markup.hpp"
#include "picture/parts.hpp"
#include "picture/svg.hpp"

namespace carveout::cli::picture {
namespace {

class Writer {
 public:
  Writer(std::string_view source, const Scene& scene, const Layout& layout)
      : source_{source}, scene_{scene}, layout_{layout} {}

  std::string write() {
    head();
    slider();
    add("<figure tabindex=\"0\" role=\"group\" aria-label=\"Picture\">\n{}</figure>\n",
        svg_of(scene_, layout_));
    shares();
    memory();
    places();
    views();
    askers();
    if (scene_.timeline) {
      add("<script type=\"application/json\" id=\"moments\">{}</script>\n", scene_.timeline->data);
    }
    add("</main>\n<script>{}</script>\n</body>\n</html>\n", page_script());
    if (out_.size() > kMaxOutputBytes) refuse_too_much(source_);
    return std::move(out_);
  }

 private:
  template <class... Args>
  void add(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
    if (out_.size() > kMaxOutputBytes) refuse_too_much(source_);
  }

  void head() {
    const std::string title = escaped(scene_.title);
    add("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
        "script-src 'sha256-{}'; style-src 'unsafe-inline'; base-uri 'none'; form-action "
        "'none'\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"color-scheme\" content=\"light dark\">\n"
        "<title>{}: memory map</title>\n<style>{}</style>\n</head>\n<body>\n",
        page_script_hash(), title, page_style());
    add("<header>\n<h1>{}</h1>\n<label for=\"find\">Find"
        "</label>\n<input id=\"find\" type=\"search\" placeholder=\"device, region or address\" "
        "autocomplete=\"off\" spellcheck=\"false\">\n"
        "<output id=\"found\" for=\"find\"></output>\n",
        title);
  }

  /// Ends the header, which stays in sight, with a slider through time, and buttons for the moments
  /// that have a name.
  void slider() {
    if (scene_.timeline) {
      const Timeline& timeline = *scene_.timeline;
      add("<div class=\"time\">\n<label for=\"time\">Time</label>\n<input id=\"time\" "
          "type=\"range\" min=\"0\" max=\"{}\" value=\"{}\">\n<output id=\"when\" "
          "for=\"time\">{}</output>\n<div>",
          timeline.moments.size() - 1, timeline.shown,
          escaped(timeline.moments[timeline.shown].words()));
      for (std::size_t i = 0; i < timeline.moments.size(); ++i) {
        const std::string& event = timeline.moments[i].event;
        if (event.empty()) continue;
        add("<button type=\"button\" data-moment=\"{}\">{}</button>\n", i, escaped(event));
      }
      add("</div>\n</div>\n");
    }
    add("</header>\n<main>\n");
  }

  /// Who holds what at the moment of the slider: filled in by the script.
  void shares() {
    if (!scene_.timeline) return;
    begin("held", "Held at that moment", {"Pool", "Device", "Blocks", "Bytes"});
    end();
  }

  /// A heading, and the head of a table.
  void begin(std::string_view id, std::string_view title,
             std::initializer_list<std::string_view> headings) {
    add("<section aria-labelledby=\"{0}\">\n<h2 id=\"{0}\">{1}</h2>\n<div class=\"scroll\">"
        "<table>\n<thead><tr>",
        id, title);
    for (const std::string_view heading : headings) add("<th scope=\"col\">{}</th>", heading);
    add("</tr></thead>\n<tbody>\n");
  }
  void end() { add("</tbody></table></div>\n</section>\n"); }
  void cell(std::string_view text) { add("<td>{}</td>", escaped(text)); }
  void number(std::string_view text) { add("<td class=\"n\">{}</td>", escaped(text)); }

  void range(PhysRange range) {
    number(hex(range.base.raw()));
    number(last_text(range));
    number(size_text(range.size_bytes));
  }

  void memory() {
    begin("memory", "Memory", {"First", "Last", "Size", "Node"});
    if (scene_.memory.empty()) {
      add("<tr><td colspan=\"4\">none stated: a boot loader may add it</td></tr>\n");
    }
    for (std::size_t i = 0; i < scene_.memory.size(); ++i) {
      add("<tr tabindex=\"0\" data-ids=\"m{}\">", i);
      range(scene_.memory[i].range);
      cell(scene_.memory[i].path);
      add("</tr>\n");
    }
    end();
  }

  void places() {
    begin("reserved", "Reserved", {"First", "Last", "Size", "Kind", "Node", "Remarks", "Used by"});
    std::vector<std::string> users(scene_.places.size());
    for (const Asker& asker : scene_.askers) {
      for (const Use& use : asker.uses) {
        if (!use.place) continue;
        std::string& list = users[*use.place];
        list += fmt::format("{}{}{}", list.empty() ? "" : "; ", asker.name,
                            use.served() ? "" : " (" + use.trouble + ")");
      }
    }
    for (std::size_t i = 0; i < scene_.places.size(); ++i) {
      const Place& place = scene_.places[i];
      add("<tr tabindex=\"0\" data-ids=\"p{}\">", i);
      if (place.range) {
        range(*place.range);
      } else {
        number("no place");
        number("-");
        number(place.size_bytes ? size_text(*place.size_bytes) : "-");
      }
      cell(word_of(place.kind));
      cell(place.path);
      cell(place.remark);
      cell(users[i]);
      add("</tr>\n");
    }
    end();
  }

  /// What a view is called: its tag in the picture, and whose it is.
  [[nodiscard]] std::string named(std::size_t view) const {
    const std::string& buses = scene_.views[view].buses;
    return view < kMaxTagged ? fmt::format("{}: {}", tag_of(view), buses) : buses;
  }

  void views() {
    if (scene_.views.empty()) return;
    begin("views", "What buses show", {"Device address", "Last", "CPU address", "Size", "Bus"});
    for (std::size_t i = 0; i < scene_.views.size(); ++i) {
      const View& view = scene_.views[i];
      const std::string row = fmt::format("<tr tabindex=\"0\" data-ids=\"v{}\">", i);
      const std::string who = named(i);
      if (view.windows.empty()) {
        add("{}<td colspan=\"4\" class=\"bad\">reaches no memory</td>", row);
        cell(who);
        add("</tr>\n");
      }
      for (const Window& window : view.windows) {
        add("{}", row);
        number(hex(window.dma.raw()));
        number(hex(window.dma_range().last().raw()));
        number(hex(window.cpu.raw()));
        number(size_text(window.size_bytes));
        cell(who);
        add("</tr>\n");
      }
    }
    end();
  }

  void askers() {
    if (scene_.askers.empty()) return;
    begin("devices", "Devices",
          {"Device", "Remarks", "Sees memory as", "Entry", "Region", "Device address",
           "CPU address"});
    for (std::size_t i = 0; i < scene_.askers.size(); ++i) {
      const Asker& asker = scene_.askers[i];
      const auto who = [&] {
        cell(asker.path);
        cell(asker.remark);
        cell(asker.view ? named(*asker.view) : "the CPU");
      };
      if (asker.uses.empty()) {
        add("<tr tabindex=\"0\" data-ids=\"a{}\">", i);
        who();
        add("<td colspan=\"4\">lists nothing</td></tr>\n");
      }
      for (const Use& use : asker.uses) {
        add("<tr tabindex=\"0\" data-ids=\"a{}", i);
        if (use.place) add(" p{}", *use.place);
        add("\">");
        who();
        cell(use.role);
        cell(use.name);
        if (use.served()) {
          number(hex(use.dma->raw()));
        } else {
          add("<td class=\"bad\">{}</td>", escaped(use.reason()));
        }
        const auto& cpu = use.place ? scene_.places[*use.place].range : std::nullopt;
        number(cpu ? hex(cpu->base.raw()) : "-");
        add("</tr>\n");
      }
    }
    end();
  }

  std::string_view source_;
  const Scene& scene_;
  const Layout& layout_;
  std::string out_;
};

}  // namespace

std::string page_of(std::string_view source, const Scene& scene, const Layout& layout) {
  return Writer{source, scene, layout}.write();
}

}  // namespace carveout::cli::picture
