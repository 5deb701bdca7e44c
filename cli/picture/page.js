
// What is about the same thing lights up together: data-ids names it, in the picture and the tables.
(() => {
  'use strict';
  const figure = document.querySelector('figure');
  const parts = Array.from(document.querySelectorAll('[data-ids]'),
                           (element) => ({element, ids: element.dataset.ids.split(' '),
                                          words: element.textContent.toLowerCase()}));
  const rows = parts.filter(({element}) => element.tagName === 'TR');
  const isLink = ({element}) => element.classList.contains('link');

  const light = (lit) => {
    figure.classList.toggle('focused', lit.size !== 0);
    for (const part of parts) part.element.classList.toggle('lit', lit.has(part));
  };

  // A thing, whoever it is connected to, and the connections.
  const about = (ids) => {
    const all = (part) => ids.every((id) => part.ids.includes(id));
    const ends = new Set(ids);
    for (const part of parts) {
      if (isLink(part) && all(part)) part.ids.forEach((id) => ends.add(id));
    }
    return new Set(parts.filter((part) => part.ids.length === 1 ? ends.has(part.ids[0]) : all(part)));
  };

  const find = document.getElementById('find');
  const found = document.getElementById('found');
  const search = () => {
    const wanted = find.value.trim().toLowerCase();
    const hits = rows.filter((row) => wanted !== '' && row.words.includes(wanted));
    for (const row of rows) row.element.hidden = wanted !== '' && !hits.includes(row);
    found.textContent = wanted === '' ? '' : `${hits.length} of ${rows.length} rows`;
    const ids = new Set(hits.flatMap((row) => row.ids));
    light(new Set(parts.filter((part) => part.ids.every((id) => ids.has(id)))));
  };
  find.addEventListener('input', search);

  const enter = (event) => {
    const target = event.target.closest?.('[data-ids]');
    if (target) light(about(target.dataset.ids.split(' ')));
  };
  const leave = (event) => {
    if (event.target.closest?.('[data-ids]')) search();
  };
  for (const [on, off] of [['mouseover', 'mouseout'], ['focusin', 'focusout']]) {
    document.addEventListener(on, enter);
    document.addEventListener(off, leave);
  }
  document.addEventListener('keydown', (event) => {
    if (event.key === '/' && event.target !== find) {
      event.preventDefault();
      find.focus();
    }
  });
})();
