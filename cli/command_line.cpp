#include "command_line.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "program_words.hpp"
#include "refusal.hpp"

namespace carveout::cli {
namespace {

constexpr std::string_view kSummary = "DMA memory in device trees: which device gets what, and why";

/// Help with the examples first, then the facts. The examples are the parser's footer.
class HelpFormatter : public CLI::Formatter {
 public:
  std::string make_help(const CLI::App* app, std::string name,
                        CLI::AppFormatMode /*mode*/) const override {
    std::string help =
        fmt::format("{}: {}\n\nExamples:\n{}\n", name, app->get_description(), app->get_footer());
    help += fmt::format("Usage: {}\n", usage(app, name));
    const auto subcommands = app->get_subcommands({});
    if (!subcommands.empty()) help += "\nVerbs:\n";
    for (const CLI::App* verb : subcommands) {
      help += fmt::format("  {:<28}{}\n", verb->get_name(), verb->get_description());
    }
    help += "\nOptions:\n";
    for (const CLI::Option* option : app->get_options()) {
      if (!option->nonpositional()) continue;
      const std::string type = option->get_type_name();
      const std::string left =
          fmt::format("{}{}{}", option->get_name(false, true), type.empty() ? "" : " ", type);
      // An option that leaves no gap has its description on the next line.
      const bool fits = left.size() < 27;
      help += fmt::format("  {:<28}{}{}\n", left, fits ? "" : fmt::format("\n{:30}", ""),
                          option->get_description());
    }
    return help + fmt::format("\n{}\nExit status: {}", kBoards, kExitStatus);
  }

 private:
  static std::string usage(const CLI::App* app, const std::string& name) {
    std::string line = name;
    if (!app->get_subcommands({}).empty()) return line + " VERB [OPTIONS] BOARD...";
    line += " [OPTIONS]";
    for (const CLI::Option* option : app->get_options()) {
      if (!option->get_positional()) continue;
      const std::string type = option->get_type_name();
      const std::string what =
          fmt::format("{}{}", type.empty() ? option->get_name(true, false) : type,
                      option->get_expected_max() > 1 ? "..." : "");
      line += option->get_required() ? fmt::format(" {}", what) : fmt::format(" [{}]", what);
    }
    return line;
  }
};

std::string all_examples() {
  std::string examples;
  for (const Verb* verb : verbs()) examples += verb->examples;
  return examples;
}

/// CLI11's own words for a mistake, as one line without its capital.
std::string in_one_line(const CLI::ParseError& error) {
  constexpr std::string_view kNotExpected[] = {"The following argument was not expected: ",
                                               "The following arguments were not expected: "};
  const std::string_view message = error.what();
  for (const std::string_view start : kNotExpected) {
    if (message.starts_with(start)) {
      return fmt::format("unknown option or extra argument: {}", message.substr(start.size()));
    }
  }
  return std::string{message.substr(0, message.find('\n'))};
}

/// The first argument that is no option: the verb, where there is one.
std::optional<std::string_view> first_word(std::span<const std::string> arguments) {
  const auto word = std::ranges::find_if(arguments, [](const std::string& argument) {
    return !argument.starts_with('-') || argument == "-";
  });
  return word == arguments.end() ? std::nullopt : std::optional<std::string_view>{*word};
}

/// What the arguments may mean: the one verb that they name, because to tell the parser of all
/// takes longer than most answers; every verb where they name none.
std::vector<const Verb*> verbs_for(std::span<const std::string> arguments) {
  const std::span<const Verb* const> all = verbs();
  const auto word = first_word(arguments);
  if (!word) return {all.begin(), all.end()};
  const auto named =
      std::ranges::find_if(all, [&](const Verb* verb) { return verb->name == *word; });
  if (named == all.end()) {
    throw Refusal{"command line", fmt::format("'{}' is no verb of carveout", *word),
                  "carveout --help"};
  }
  return {*named};
}

/// CLI11's parser, and what becomes of a verb that it has read.
struct Parser {
  explicit Parser(std::span<const Verb* const> known) {
    program.formatter(std::make_shared<HelpFormatter>());
    program.footer(all_examples());
    program.set_help_flag("-h,--help", "print this help");
    program.set_version_flag("--version", fmt::format("carveout {}", kVersion),
                             "print the version");
    jobs.reserve(known.size());
    for (const Verb* verb : known) {
      CLI::App* parser =
          program.add_subcommand(std::string{verb->name}, std::string{verb->summary});
      parser->footer(std::string{verb->examples});
      jobs.emplace_back(parser, verb->add(*parser));
    }
  }

  CLI::App program{std::string{kSummary}, "carveout"};
  std::vector<std::pair<const CLI::App*, Job>> jobs;
};

Job print(std::string text) {
  return [text = std::move(text)](const Terminal&) { return Answer{.data = text, .notes = {}}; };
}

}  // namespace

std::shared_ptr<const CLI::App> whole_parser() {
  auto parser = std::make_shared<Parser>(verbs());
  const CLI::App* program = &parser->program;
  return {std::move(parser), program};
}

Job parse(std::span<const std::string> arguments) {
  const auto parser = std::make_shared<Parser>(verbs_for(arguments));
  CLI::App& program = parser->program;
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // as CLI11 wants it
    program.parse(std::move(reversed));
  } catch (const CLI::CallForHelp&) {
    for (const auto& [verb, job] : parser->jobs) {
      if (verb->parsed()) return print(verb->help("carveout"));
    }
    return print(program.help());
  } catch (const CLI::CallForVersion& version) {
    return print(fmt::format("{}\n", version.what()));
  } catch (const CLI::ParseError& error) {
    const auto word = first_word(arguments);
    throw Refusal{word.value_or("command line"), in_one_line(error),
                  word ? fmt::format("carveout {} --help", *word) : "carveout --help"};
  }

  for (const auto& [verb, job] : parser->jobs) {
    // The parser is kept alive, because it holds what was parsed.
    if (verb->parsed()) {
      return [parser, run = job](const Terminal& terminal) { return run(terminal); };
    }
  }
  throw Refusal{"command line", "a verb is missing", "carveout --help"};
}

}  // namespace carveout::cli
