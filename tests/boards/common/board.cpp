#include "board.hpp"

#include <array>
#include <span>

#include "carveout/core/text.hpp"
#include "semihosting.hpp"

namespace board {
namespace {

unsigned made = 0;
unsigned failed = 0;

/// One line of output: gathered, then written in one go.
class Line {
 public:
  Line() : text_{std::span{buffer_}.first(buffer_.size() - 1)} {}
  carveout::Text& text() { return text_; }
  void print() {
    text_.add("\n");
    // Text leaves no terminator, and a cut line has lost its end.
    if (text_.truncated()) buffer_[buffer_.size() - 2] = '\n';
    buffer_[text_.view().size()] = '\0';
    semihosting::write0(buffer_.data());
  }

 private:
  std::array<char, 200> buffer_;
  carveout::Text text_;
};

void add_where(carveout::Text& text, const Where& where) {
  std::string_view file = where.file_name();
  if (const auto slash = file.rfind('/'); slash != std::string_view::npos) {
    file.remove_prefix(slash + 1);
  }
  text.add(" (").add(file).add(":").add_decimal(where.line()).add(")");
}

}  // namespace

void write(std::string_view words) {
  Line line;
  line.text().add(words);
  line.print();
}

void exit(int status) { semihosting::exit(status); }

void die(std::string_view what, std::uint64_t value) {
  Line line;
  line.text().add("FAIL ").add(what).add(" ").add_hex(value);
  line.print();
  semihosting::exit(3);
}

bool check(bool holds, std::string_view what, Where where) {
  ++made;
  Line line;
  line.text().add(holds ? "ok   " : "FAIL ").add(what);
  if (!holds) {
    ++failed;
    add_where(line.text(), where);
  }
  line.print();
  return holds;
}

bool check_equal(std::uint64_t have, std::uint64_t want, std::string_view what, Where where) {
  if (have == want) return check(true, what, where);
  ++made;
  ++failed;
  Line line;
  line.text().add("FAIL ").add(what).add(": have ").add_hex(have).add(", want ").add_hex(want);
  add_where(line.text(), where);
  line.print();
  return false;
}

bool check_refused(carveout::Error have, carveout::Error want, std::string_view what, Where where) {
  if (have == want) return check(true, what, where);
  ++made;
  ++failed;
  Line line;
  line.text().add("FAIL ").add(what).add(": refused as ").add(name_of(have));
  line.text().add(", and not as ").add(name_of(want));
  add_where(line.text(), where);
  line.print();
  return false;
}

void fail(const carveout::Failure& failure, std::string_view what, Where where) {
  ++made;
  ++failed;
  Line line;
  line.text().add("FAIL ").add(what).add(": ");
  describe(failure, line.text());
  add_where(line.text(), where);
  line.print();
}

void note(std::string_view what, std::uint64_t value) {
  Line line;
  line.text().add("     ").add(what).add(" ").add_hex(value);
  line.print();
}

void count(std::string_view what, std::uint64_t number) {
  Line line;
  line.text().add("     ").add(what).add(" ").add_decimal(number);
  line.print();
}

unsigned checks() { return made; }
unsigned failures() { return failed; }

int finish(std::string_view image) {
  const bool good = made != 0 && failed == 0;
  Line line;
  line.text().add(good ? "PASS " : "FAILED ").add(image).add(": ");
  line.text().add_decimal(made).add(" checks, ").add_decimal(failed).add(" failed");
  line.print();
  return good ? 0 : 1;
}

}  // namespace board
