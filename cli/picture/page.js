
// What is about the same thing lights up together: data-ids names it, in the picture and the tables.
(() => {
  'use strict';
  const figure = document.querySelector('figure');
  const parts = Array.from(document.querySelectorAll('[data-ids]'),
                           (element) => ({element, ids: element.dataset.ids.split(' ')}));
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
    const rows = Array.from(document.querySelectorAll('tbody tr'));  // the slider writes some anew
    const hits = rows.filter((row) => row.textContent.toLowerCase().includes(wanted));
    for (const row of rows) row.hidden = true;
    for (const row of hits) row.hidden = false;
    found.textContent = wanted === '' ? '' : `${hits.length} of ${rows.length} rows`;
    const ids = new Set(wanted === '' ? [] : hits.flatMap((row) => row.dataset.ids?.split(' ') ?? []));
    light(new Set(parts.filter((part) => part.ids.every((id) => ids.has(id)))));
  };
  find.addEventListener('input', search);

  const enter = (event) => {
    const target = event.target.closest?.('[data-ids]:not(.ground)');
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

  // The slider through a trace: what each pool's bar holds at one of the moments.
  const data = document.getElementById('moments');
  if (!data) return;
  const moments = JSON.parse(data.textContent);
  const time = document.getElementById('time');
  const bars = Array.from(document.querySelectorAll('[data-held]'));
  const states = Array.from(document.querySelectorAll('[data-state] text'));
  const cursors = Array.from(document.querySelectorAll('.cursor'));
  const table = document.querySelector('section[aria-labelledby=held] tbody');
  const names = bars.map((bar) => bar.dataset.name);

  const drawn = (bar, held) => {
    // As the program draws the first moment, from a rectangle that is the pool's frame.
    const frame = bar.previousElementSibling;
    const [x, y, width, height] = ['x', 'y', 'width', 'height'].map((key) => +frame.getAttribute(key));
    const cell = width / bar.dataset.cells;
    const colours = document.querySelectorAll('[data-holder]');
    const rects = [];
    for (let i = 0; i < held.length; i += 4) {
      const [first, count, holder, mostly] = held.slice(i, i + 4);
      const rect = colours[holder].cloneNode();
      rect.removeAttribute('data-holder');
      const place = {x: x + first * cell, y: y + 1, width: count * cell, height: height - 2};
      for (const key in place) rect.setAttribute(key, place[key]);
      if (!mostly) rect.setAttribute('opacity', '.5');
      rects.push(rect);
    }
    bar.replaceChildren(...rects);
  };

  const show = () => {
    const moment = moments[time.value];
    document.getElementById('when').textContent = moment.words;
    time.setAttribute('aria-valuetext', moment.words);
    table.replaceChildren();
    moment.pools.forEach((pool, i) => {
      drawn(bars[i], pool.held);
      states[i].textContent = pool.state;
      for (const share of pool.shares) {
        const row = table.insertRow();
        for (const word of [names[i], ...share]) row.insertCell().textContent = word;
      }
    });
    for (const cursor of cursors) {
      cursor.setAttribute('transform', `translate(${cursor.dataset.width * moment.at / 1000})`);
      cursor.setAttribute('visibility', 'visible');
    }
    search();
  };
  time.addEventListener('input', show);
  for (const button of document.querySelectorAll('[data-moment]')) {
    button.addEventListener('click', () => {
      time.value = button.dataset.moment;
      show();
    });
  }
  show();
})();
