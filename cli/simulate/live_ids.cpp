#include "live_ids.hpp"

#include <algorithm>
#include <cstring>
#include <random>

namespace carveout::cli {
namespace {

constexpr std::size_t kFirstPlaces = 1024;

template <class Word>
Word load(const char* bytes) {
  Word word;
  std::memcpy(&word, bytes, sizeof(word));
  return word;
}

/// At most eight bytes as a word that no others of that length have. From its two ends, which may
/// overlap, because a memcpy() of a length that is not known costs more than the hash.
std::uint64_t last_word(std::string_view bytes) {
  const auto ends = [&]<class Half>(Half) {
    return std::uint64_t{load<Half>(bytes.data())} << 32 |
           load<Half>(bytes.data() + bytes.size() - sizeof(Half));
  };
  if (bytes.size() >= 4) return ends(std::uint32_t{});
  if (bytes.size() >= 2) return ends(std::uint16_t{});
  return bytes.empty() ? 0 : load<std::uint8_t>(bytes.data());
}

}  // namespace

// Seeded, so that nobody can write a trace whose names all meet in one place. Nothing that is
// printed depends on where a name stands.
LiveIds::LiveIds()
    : seed_{std::uint64_t{std::random_device{}()} << 32 | std::random_device{}()},
      places_(kFirstPlaces) {}

LiveIds::Key::Key(std::uint64_t seed, std::uint32_t its_owner, std::string_view its_id)
    : id{its_id}, last{}, owner{its_owner}, hash{} {
  std::uint64_t mixed = seed ^ (std::uint64_t{owner} << 32) ^ id.size();
  const auto mix = [&](std::uint64_t word) {
    mixed = (mixed ^ word) * 0x9e3779b97f4a7c15U;  // 2^64 / the golden ratio
    mixed ^= mixed >> 32;
  };
  std::string_view rest = id;
  for (; rest.size() > sizeof(std::uint64_t); rest.remove_prefix(sizeof(std::uint64_t))) {
    mix(load<std::uint64_t>(rest.data()));
  }
  last = last_word(rest);
  mix(last);
  mix(seed);
  hash = static_cast<std::uint32_t>(mixed);
}

/// Most names are no longer than a word, and then compared without a call.
bool LiveIds::Name::is(const Key& key) const {
  if (last != key.last || owner != key.owner || size != key.id.size()) return false;
  return size <= sizeof(last) || text() == key.id;
}

std::size_t LiveIds::find(const Key& key) const {
  const std::size_t mask = places_.size() - 1;
  for (std::size_t at = key.hash & mask;; at = (at + 1) & mask) {
    const Place& place = places_[at];
    if (place.slot_and_one == 0) return at;
    if (place.hash == key.hash && names_[place.slot_and_one - 1].is(key)) return at;
  }
}

LiveIds::Added LiveIds::add(std::uint32_t owner, std::string_view id) {
  const Key key{seed_, owner, id};
  std::size_t at = find(key);
  if (places_[at].slot_and_one != 0) return {places_[at].slot_and_one - 1, false};
  if (std::size_t{count_} * 2 >= places_.size()) {
    grow();
    at = find(key);
  }
  std::uint32_t slot = slots();
  if (free_.empty()) {
    names_.emplace_back();
  } else {
    slot = free_.back();
    free_.pop_back();
  }
  Name& name = names_[slot];
  std::ranges::copy(id, name.bytes.begin());
  name.size = static_cast<std::uint8_t>(id.size());
  name.last = key.last;
  name.owner = owner;
  name.lives = true;
  places_[at] = {key.hash, slot + 1};
  ++count_;
  return {slot, true};
}

std::optional<std::uint32_t> LiveIds::remove(std::uint32_t owner, std::string_view id) {
  const std::size_t mask = places_.size() - 1;
  std::size_t hole = find(Key{seed_, owner, id});
  if (places_[hole].slot_and_one == 0) return std::nullopt;
  const std::uint32_t slot = places_[hole].slot_and_one - 1;
  // Whoever walked over the hole moves into it, so that no walk ends there too early.
  for (std::size_t at = (hole + 1) & mask; places_[at].slot_and_one != 0; at = (at + 1) & mask) {
    const std::size_t walked = (at - places_[at].hash) & mask;
    if (walked < ((at - hole) & mask)) continue;
    places_[hole] = places_[at];
    hole = at;
  }
  places_[hole] = {};
  names_[slot].lives = false;
  free_.push_back(slot);
  --count_;
  return slot;
}

void LiveIds::clear() {
  std::ranges::fill(places_, Place{});
  names_.clear();
  free_.clear();
  count_ = 0;
}

void LiveIds::grow() {
  std::vector<Place> before(places_.size() * 2);
  before.swap(places_);
  const std::size_t mask = places_.size() - 1;
  for (const Place& place : before) {
    if (place.slot_and_one == 0) continue;
    std::size_t at = place.hash & mask;
    while (places_[at].slot_and_one != 0) at = (at + 1) & mask;
    places_[at] = place;
  }
}

}  // namespace carveout::cli
