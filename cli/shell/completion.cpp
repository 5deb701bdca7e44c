// `completion`: what else can be said of the parser: completions, and the man page.
#include <CLI/CLI.hpp>
#include <memory>
#include <string>

#include "command_line.hpp"
#include "option_values.hpp"
#include "shell/interface.hpp"
#include "verb.hpp"

namespace carveout::cli {
namespace {

using Form = std::string (*)(const Interface&);

constexpr OptionWords<Form, 4> kForms{{{"bash", bash_completion},
                                       {"zsh", zsh_completion},
                                       {"fish", fish_completion},
                                       {"man", man_page}}};

Job add(CLI::App& parser) {
  const auto form = std::make_shared<std::string>();
  parser.add_option("FORM", *form, "for which shell; or the man page")
      ->required()
      ->type_name(words_of(kForms));
  return [form](const Terminal& /*terminal*/) {
    const Form write = named("completion", "FORM", *form, kForms);
    return Answer{.data = write(interface_of(*whole_parser())), .notes = {}};
  };
}

}  // namespace

constinit const Verb kCompletion{
    .name = "completion",
    .summary = "completions for bash, zsh or fish, and the man page",
    .examples =
        "  . <(carveout completion bash)          in this shell; zsh alike\n"
        "  carveout completion fish > ~/.config/fish/completions/carveout.fish\n"
        "  carveout completion man | man -l -     the man page\n",
    .add = add,
};

}  // namespace carveout::cli
