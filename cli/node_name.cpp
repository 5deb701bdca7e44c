#include "node_name.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "refusal.hpp"

namespace carveout::cli {
namespace {

using device_tree::Node;
using device_tree::Tree;

constexpr std::size_t kListed = 8;  // of the nodes that a name may mean

std::string_view without_unit_address(std::string_view name) {
  return name.substr(0, name.find('@'));
}

/// Those of `nodes` that have the name; where none has and it is without a unit address, those that
/// have it with one.
template <class Nodes>
std::vector<Node> named(const Tree& tree, const Nodes& nodes, std::string_view name) {
  std::vector<Node> exact;
  std::vector<Node> with_unit_address;
  for (const Node node : nodes) {
    const std::string_view has = tree.name(node);
    if (has == name) exact.push_back(node);
    if (without_unit_address(has) == name) with_unit_address.push_back(node);
  }
  return exact.empty() ? with_unit_address : exact;
}

class Finder {
 public:
  Finder(const Board& board, std::string_view option, std::string_view name)
      : board_{board}, tree_{board.tree()}, option_{option}, name_{name} {}

  [[nodiscard]] Node find() const {
    if (name_.empty()) throw Refusal{board_.source, "no node has an empty name", option_};
    if (name_.starts_with('/')) return by_path(name_);
    if (const auto path = alias()) return by_path(*path);
    return only(named(tree_, tree_.nodes(), name_));
  }

 private:
  [[nodiscard]] Node by_path(std::string_view path) const {
    Node node = Tree::root();
    std::string_view rest = path;
    while (true) {
      rest.remove_prefix(std::min(rest.find_first_not_of('/'), rest.size()));
      if (rest.empty()) return node;
      const std::string_view part = rest.substr(0, rest.find('/'));
      rest.remove_prefix(part.size());
      node = only(named(tree_, tree_.children(node), part));
    }
  }

  [[nodiscard]] std::optional<std::string_view> alias() const {
    for (const Node node : tree_.children(Tree::root())) {
      if (tree_.name(node) == "aliases") return tree_.strings(node, name_).first();
    }
    return std::nullopt;
  }

  [[nodiscard]] Node only(const std::vector<Node>& nodes) const {
    if (nodes.size() == 1) return nodes.front();
    if (nodes.empty()) {
      const auto path = name_.starts_with('/') ? std::nullopt : alias();
      throw Refusal{board_.source,
                    path ? fmt::format("the alias '{}' leads to {}, which is no node", name_, *path)
                         : fmt::format("has no node '{}'", name_),
                    option_};
    }
    std::string list;
    for (std::size_t i = 0; i < std::min(nodes.size(), kListed); ++i) {
      list += fmt::format("{}{}", i == 0 ? "" : ", ", path_of(tree_, nodes[i]));
    }
    if (nodes.size() > kListed) list += fmt::format(", and {} more", nodes.size() - kListed);
    throw Refusal{board_.source, fmt::format("has {} nodes '{}'", nodes.size(), name_), list};
  }

  const Board& board_;
  const Tree& tree_;
  std::string_view option_;
  std::string_view name_;
};

}  // namespace

std::string path_of(const Tree& tree, Node node) {
  std::array<char, device_tree::kMaxPathBytes> buffer;  // NOLINT: written before it is read
  return std::string{tree.path(node, buffer)};
}

Node find_node(const Board& board, std::string_view option, std::string_view name) {
  return Finder{board, option, name}.find();
}

}  // namespace carveout::cli
