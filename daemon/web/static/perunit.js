// What a capacity is told in: as it is, per gram of active mass, or per area of the cell.

/** The units a cell's facts allow: name to { words, of }, where `of` turns coulombs into it. */
export function units(facts) {
  const found = { mAh: { words: 'mAh', of: (coulombs) => coulombs / 3.6 } };
  if (facts?.active_mass > 0) found.mass = { words: 'mAh/g', of: (coulombs) => coulombs / 3.6 / (facts.active_mass * 1000) };
  if (facts?.area > 0) found.area = { words: 'mAh/cm²', of: (coulombs) => coulombs / 3.6 / (facts.area * 1e4) };
  return found;
}

/** Keep a list of units in step with what the facts allow; the choice stays where it can. */
export function offer(select, facts, option) {
  const wanted = Object.entries(units(facts));
  if (select.options.length === wanted.length) return;
  const before = select.value;
  select.replaceChildren(...wanted.map(([value, { words }]) => option(value, words)));
  if (before && units(facts)[before]) select.value = before;
  else if (units(facts).mass) select.value = 'mass';
  select.hidden = wanted.length < 2;
}
