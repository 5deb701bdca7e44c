// carveout(1), in the macros of man(7).
#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "program_words.hpp"
#include "shell/interface.hpp"

namespace carveout::cli {
namespace {

/// Text as roff prints it: dashes are minus signs, and no line begins with a control character.
std::string roff(std::string_view text) {
  std::string result;
  bool line_begins = true;
  for (const char each : text) {
    if (line_begins && (each == '.' || each == '\'')) result += "\\&";
    line_begins = each == '\n';
    if (each == '-') {
      result += "\\-";
    } else if (each == '\\') {
      result += "\\e";
    } else if (each == '`' || each == '\'') {
      result += each == '`' ? "\\(ga" : "\\(aq";
    } else {
      result += each;
    }
  }
  return result;
}

/// Text that roff fills: what its lines are matters only to those who read the source.
std::string filled(std::string_view text) {
  constexpr std::size_t kLineBytes = 60;  // the escapes make it longer
  std::string result;
  std::string line;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(" \n"), text.size());
    if (!line.empty() && line.size() + 1 + end > kLineBytes) {
      result += roff(line) + '\n';
      line.clear();
    }
    if (end != 0) line.append(line.empty() ? "" : " ").append(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return result + roff(line) + '\n';
}

std::string synopsis(const Interface& program, const VerbInterface& verb) {
  std::string line = fmt::format(".B {} {}\n.RI [ OPTIONS ]\n", program.name, verb.name);
  for (const Parameter& argument : verb.arguments) {
    const std::string name = argument.names.front() + (argument.repeatable ? "..." : "");
    line += argument.required ? fmt::format(".I {}\n", roff(name))
                              : fmt::format(".RI [ {} ]\n", roff(name));
  }
  return line;
}

std::string options(const std::vector<Parameter>& options) {
  std::string text;
  for (const Parameter& option : options) {
    text += ".TP\n.BR ";
    for (std::size_t i = 0; i < option.names.size(); ++i) {
      text += fmt::format("{}{}", i == 0 ? "" : " \", \" ", roff(option.names[i]));
    }
    if (option.takes_value()) text += fmt::format(" \" {}\"", roff(option.type));
    text += '\n' + filled(option.help + (option.required ? " (required)" : ""));
  }
  return text;
}

/// Examples without the two spaces that help begins their lines with.
std::string examples(std::string_view lines) {
  std::string text = ".PP\n.EX\n";
  while (!lines.empty()) {
    const std::string_view line = lines.substr(0, lines.find('\n'));
    text += roff(line.substr(line.find_first_not_of(' '))) + '\n';
    lines.remove_prefix(line.size() + 1);
  }
  return text + ".EE\n";
}

}  // namespace

std::string man_page(const Interface& program) {
  std::string page = fmt::format(
      ".\\\" Made by `carveout completion man`.\n"
      ".TH CARVEOUT 1 {} \"carveout {}\" \"User Commands\"\n"
      ".SH NAME\n{} \\- {}\n.SH SYNOPSIS\n",
      kVersionDate, roff(kVersion), program.name, roff(program.summary));
  for (const VerbInterface& verb : program.verbs) {
    page += synopsis(program, verb);
    if (&verb != &program.verbs.back()) page += ".br\n";
  }
  page += fmt::format(".SH DESCRIPTION\n{}", filled(kBoards));
  page += ".SH OPTIONS\n" + options(program.options);
  page += ".SH VERBS\n";
  for (const VerbInterface& verb : program.verbs) {
    page += fmt::format(".SS {}\n{}.\n", verb.name, roff(verb.summary));
    page += examples(verb.examples) + options(verb.options);
  }
  page += fmt::format(".SH EXIT STATUS\n{}", filled(kExitStatus));
  page +=
      ".SH ENVIRONMENT\n.TP\n.B NO_COLOR\n"
      "If it is set, there is no colour. Without it there is, on a terminal only.\n"
      ".TP\n.B TERM\nIf it is\n.BR dumb ,\nthere is no colour either.\n"
      ".TP\n.B PATH\nWhere\n.BR dtc (1)\nis looked for, which compiles boards in source.\n"
      ".SH FILES\n.TP\n.I /proc/device\\-tree\n"
      "The tree of the machine that the program runs on, which is a BOARD, too.\n"
      ".TP\n.I /sys/firmware/fdt\nThe blob that it was started with.\n"
      ".SH SEE ALSO\n.BR dtc (1),\n.BR fdtdump (1),\n.BR fdtoverlay (1)\n";
  return page;
}

}  // namespace carveout::cli
