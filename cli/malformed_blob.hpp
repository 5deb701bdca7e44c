// The refusal of a blob that is no well-formed tree, which `lint` answers with a finding instead.
#pragma once

#include <string>
#include <string_view>

#include "refusal.hpp"

namespace carveout::cli {

class MalformedBlob : public Refusal {
 public:
  /// As Refusal.
  MalformedBlob(std::string_view subject, std::string_view what, std::string_view where);

  [[nodiscard]] const std::string& subject() const { return subject_; }
  /// `WHAT (WHERE)`.
  [[nodiscard]] const std::string& reason() const { return reason_; }

 private:
  std::string subject_;
  std::string reason_;
};

}  // namespace carveout::cli
