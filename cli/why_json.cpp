#include <limits>

#include "json_text.hpp"
#include "page.hpp"
#include "why_request.hpp"

namespace carveout::cli {
namespace {

std::string_view name_of(Verdict verdict) {
  switch (verdict) {
    case Verdict::taken:
      return "taken";
    case Verdict::refused:
      return "refused";
    case Verdict::open:
    case Verdict::skipped:
      break;
  }
  return "skipped";
}

void write_request(JsonText& json, const WhyRequest& request, const WhyAnswer& answer) {
  const bool is_bus = request.device.empty();
  json.key("request").open('{');
  text_or_null(json, "device", is_bus ? "" : answer.node);
  text_or_null(json, "bus", is_bus ? answer.node : "");
  if (request.pool_index) {
    json.key("pool").number(*request.pool_index);
  } else {
    text_or_null(json, "pool", request.pool_name);
  }
  json.key("count").number(request.count);
  json.key("size").hex(request.size_bytes);
  json.key("align").hex(request.align_bytes);
  hex_or_null(json, "boundary", request.boundary_bytes);
  json.key("mask").hex(request.mask());
  json.key("attributes").open('[');
  for (const std::string_view name : names_of(request.attributes)) json.string(name);
  json.close(']');
  json.key("context").string(cli::name_of(request.context)).close('}');
}

}  // namespace

std::string why_json(const Board& board, const WhyRequest& request, const WhyAnswer& answer) {
  JsonText json{kMaxOutputBytes};
  json.open('{').key("schema").string("carveout.why/1");
  write_request(json, request, answer);
  json.key("route").open('[');
  for (const WhyStep& step : answer.route) {
    json.open('{').key("role").string(carveout::name_of(step.role));
    text_or_null(json, "pool", step.pool);
    json.key("verdict").string(name_of(step.verdict)).key("reason").string(step.reason).close('}');
  }
  json.close(']').key("blocks").open('[');
  for (const WhyBlock& block : answer.blocks) {
    json.open('{');
    text_or_null(json, "pool", block.pool);
    hex_or_null(json, "phys", block.phys);
    hex_or_null(json, "dma", block.dma);
    json.key("size").hex(block.size_bytes).close('}');
  }
  json.close(']').key("failure");
  if (answer.failure) {
    write_refused(json, *answer.failure);
    json.close('}');
  } else {
    json.null();
  }
  json.close('}');
  if (json.full()) refuse_too_much(board.source);
  return json.take() + '\n';
}

}  // namespace carveout::cli
