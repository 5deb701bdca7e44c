#include "refused_request.hpp"

#include "sentence.hpp"

namespace carveout::cli {

RefusedRequest::RefusedRequest(const Failure& failure)
    : code{failure.code},
      message{sentence(failure)},
      pool{failure.pool},
      asked_bytes{failure.asked_bytes} {
  if (code != Error::exhausted && code != Error::table_full) return;
  free_bytes = failure.free_bytes;
  largest_run_bytes = failure.largest_run_bytes;
}

void write_refused(JsonText& json, const RefusedRequest& refused) {
  json.open('{').key("code").string(carveout::name_of(refused.code));
  json.key("message").string(refused.message);
  text_or_null(json, "pool", refused.pool);
  json.key("asked").hex(refused.asked_bytes);
  hex_or_null(json, "free", refused.free_bytes);
  hex_or_null(json, "largest_run", refused.largest_run_bytes);
}

}  // namespace carveout::cli
