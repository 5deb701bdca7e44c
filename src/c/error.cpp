// Errors and texts for C.
#include "carveout/core/text.hpp"
#include "carveout/map/route.hpp"
#include "face.hpp"

namespace carveout::c {
namespace {

/// Whether C's number stands for an error of the library.
bool is_error(carveout_error error) {
  return error > CARVEOUT_OK && error <= CARVEOUT_NO_SUCH_NODE;
}
Error from_c(carveout_error error) { return static_cast<Error>(static_cast<int>(error) - 1); }

/// Lets `write` fill the buffer, and puts a zero behind.
template <class Write>
std::size_t write_text(char* buffer, std::size_t size, Write write) {
  if (size == 0) return 0;
  Text text{{buffer, size - 1}};
  write(text);
  buffer[text.view().size()] = '\0';
  return text.view().size();
}

}  // namespace

carveout_error fail(const Failure& failure, carveout_failure* why) {
  const carveout_error code = to_c(failure.code);
  if (why != nullptr) {
    *why = {.code = code,
            .pool = to_c(failure.pool),
            .other = to_c(failure.other),
            .asked_bytes = failure.asked_bytes,
            .free_bytes = failure.free_bytes,
            .largest_run_bytes = failure.largest_run_bytes,
            .has_stated = failure.stated.has_value(),
            .stated = failure.stated.value_or(0),
            .needed_bytes = failure.needed_bytes};
  }
  return code;
}

// C's functions belong to no namespace: stated here, they are the ones of the header.
extern "C" {

// Names and meanings are literals of the library, and so end with a zero.

const char* carveout_error_name(carveout_error error) {
  if (error == CARVEOUT_OK) return "ok";
  return is_error(error) ? name_of(from_c(error)).data() : "unknown";
}

const char* carveout_error_meaning(carveout_error error) {
  if (error == CARVEOUT_OK) return "nothing is wrong";
  return is_error(error) ? meaning_of(from_c(error)).data()
                         : "an error that this version does not know";
}

size_t carveout_describe(const carveout_failure* failure, char* buffer, size_t size) {
  return write_text(buffer, size, [&](Text& text) {
    if (!is_error(failure->code)) {
      text.add(carveout_error_meaning(failure->code));
      return;
    }
    describe(Failure{.code = from_c(failure->code),
                     .pool = {failure->pool.at, failure->pool.length},
                     .other = {failure->other.at, failure->other.length},
                     .asked_bytes = failure->asked_bytes,
                     .free_bytes = failure->free_bytes,
                     .largest_run_bytes = failure->largest_run_bytes,
                     .stated = failure->has_stated ? std::optional{failure->stated} : std::nullopt,
                     .needed_bytes = failure->needed_bytes},
             text);
  });
}

const char* carveout_role_name(carveout_role role) {
  return is_role(role) ? name_of(static_cast<Role>(role)).data() : "unknown";
}

size_t carveout_describe_candidate(const carveout_candidate* candidate, char* buffer, size_t size) {
  return write_text(buffer, size, [&](Text& text) {
    describe(*static_cast<const Candidate*>(candidate->of_the_library), text);
  });
}

}  // extern "C"

}  // namespace carveout::c
