#include "gen/world.hpp"

#include <libfdt.h>

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

namespace carveout::cli {
namespace {

constexpr std::string_view kPrefix = "secure-";
constexpr const char* kSecureStatus = "secure-status";

/// A property's name, by the offset of its string.
class Name {
 public:
  Name(std::vector<std::byte>& blob, int property)
      : at_{blob.data() + fdt_off_dt_struct(blob.data()) + property + kBefore} {}

  [[nodiscard]] std::uint32_t offset() const { return fdt32_ld(reinterpret_cast<fdt32_t*>(at_)); }
  void change(std::uint32_t offset) const { fdt32_st(at_, offset); }

 private:
  static constexpr int kBefore = 8;  // the token, and the length

  std::byte* at_;
};

/// Exchanges the names of `status` and `secure-status`: the one ends as the other does, so that
/// nothing has to be moved.
void exchange(std::vector<std::byte>& blob, int node) {
  std::optional<Name> status;
  std::optional<Name> secure;
  int property = 0;
  fdt_for_each_property_offset(property, blob.data(), node) {
    const char* name = nullptr;
    if (fdt_getprop_by_offset(blob.data(), property, &name, nullptr) == nullptr) return;
    if (!status && std::string_view{name} == kSecureStatus + kPrefix.size())
      status.emplace(blob, property);
    if (!secure && std::string_view{name} == kSecureStatus) secure.emplace(blob, property);
  }
  if (!secure) return;
  const std::uint32_t offset = secure->offset();
  secure->change(offset + static_cast<std::uint32_t>(kPrefix.size()));
  if (status) status->change(offset);
}

bool okay(std::string_view status) { return status == "okay" || status == "ok"; }

}  // namespace

std::vector<bool> secure_only(const device_tree::Tree& tree) {
  std::vector<bool> only(tree.node_count());
  for (const device_tree::Node node : tree.nodes()) {
    const auto status = tree.strings(node, kSecureStatus).first();
    only[node.index()] = status && okay(*status) && !tree.okay(node);
  }
  return only;
}

Board seen_by_secure_world(const Board& board) {
  std::vector<std::byte> blob = board.blob;
  for (int node = fdt_next_node(blob.data(), -1, nullptr); node >= 0;
       node = fdt_next_node(blob.data(), node, nullptr)) {
    exchange(blob, node);
  }
  Index index{board.source, blob};
  return {board.source, std::move(blob), std::move(index), board.messages};
}

}  // namespace carveout::cli
