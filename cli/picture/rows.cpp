// A row of words for each place, as near to it as its neighbours allow.
#include <algorithm>

#include "picture/drawing.hpp"

namespace carveout::cli::picture {
namespace {

void words(Drawing& drawing, std::size_t place, int y) {
  const Columns& columns = drawing.columns;
  const RowText& text = drawing.texts[place];
  Row& row = drawing.out.rows[place];
  row.row = {columns.rows_left, y, columns.rows_right - columns.rows_left, kRow};
  row.swatch = {columns.rows_left + 3, y + 4, 10, 10};
  const int top = y + 1;
  const Tone tone = drawing.scene.places[place].enabled ? Tone::plain : Tone::faint;
  row.words = {label_before(text.address, columns.address_right, top, Font::mono, tone),
               label_before(text.size, columns.size_right, top, Font::mono, tone),
               label(text.kind, columns.kind_left, top, Font::mono, Tone::faint),
               label(text.name, columns.name_left, top, Font::mono, tone)};
  if (!text.flags.empty()) {
    row.words.push_back(label(text.flags, columns.flags_left, top, Font::mono, Tone::faint));
  }
}

}  // namespace

void draw_rows(Drawing& drawing) {
  const Columns& columns = drawing.columns;
  std::vector<Wish> wishes;
  for (const Row& row : drawing.out.rows) {
    if (row.bar) wishes.push_back({.middle = row.bar->y + row.bar->height / 2, .height = kRow});
  }
  spread(wishes, drawing.top, drawing.bottom);
  int y = drawing.top;
  for (std::size_t i = 0; i < wishes.size(); ++i) {
    y = wishes[i].top;
    words(drawing, i, y);
    Row& row = drawing.out.rows[i];
    const int from = row.bar->y + row.bar->height / 2;
    const int to = y + kRow / 2;
    row.leader = {{row.bar->right(), from},
                  {columns.bar_left + columns.bar_width + 8, from},
                  {columns.rows_left - 8, to},
                  {columns.rows_left, to}};
    y += kRow;
  }
  if (wishes.size() < drawing.out.rows.size()) y = std::max(y, drawing.bottom) + 8;
  for (std::size_t i = wishes.size(); i < drawing.out.rows.size(); ++i, y += kRow) {
    words(drawing, i, y);
  }
  drawing.bottom = std::max(drawing.bottom, y);
}

}  // namespace carveout::cli::picture
