// Where a bar falls when it is let go: at the start of a shift, right behind another bar, else on a round time.

const spanAt = (row, minute) => row.open.find(([from, until]) => from <= minute && minute < until);
const after = (row, minute) => row.open.find(([from]) => from >= minute);

// The first open minute of a machine from then on.
export function opened(row, minute) {
  if (spanAt(row, minute)) return minute;
  return after(row, minute)?.[0] ?? minute;
}

export const roundTo = (clock, perMinute) => (perMinute > 1.6 ? 5 : perMinute > 0.25 ? 15 : 60);

const rounded = (clock, minute, grid) => clock.fromLocal(Math.round(clock.local(minute) / grid) * grid);

// `carried`: bars that are no obstacles, because they are in the hand.
export function snapped({ clock, row, lane, start, perMinute, soonest, carried }) {
  start = Math.max(start, soonest);
  const reach = 12 / perMinute;
  const marks = [];
  for (const [from] of row.open) if (Math.abs(from - start) <= reach) marks.push(from);
  for (const bar of lane) {
    if (carried.has(bar.id)) continue;
    if (Math.abs(bar.at.end - start) <= reach) marks.push(bar.at.end);
    if (Math.abs(bar.at.changeover - start) <= reach) marks.push(bar.at.changeover);
  }
  const inside = lane.find((bar) => !carried.has(bar.id) && bar.at.changeover < start && start < bar.at.end);
  if (inside) {
    // Over another bar: before it or behind it, whichever half it is over.
    marks.push(start < (inside.at.changeover + inside.at.end) / 2 ? inside.at.changeover : inside.at.end);
    start = marks.reduce((best, each) => (Math.abs(each - start) < Math.abs(best - start) ? each : best));
  } else if (marks.length) {
    start = marks.reduce((best, each) => (Math.abs(each - start) < Math.abs(best - start) ? each : best));
  } else {
    start = rounded(clock, start, roundTo(clock, perMinute));
  }
  return opened(row, Math.max(start, soonest));
}

// The next place in a direction, for the keyboard.
export function stepped({ clock, row, lane, start, direction, grid, minutes, soonest, carried }) {
  let next = rounded(clock, start + direction * grid, grid);
  if (next === start) next += direction * grid;
  const between = lane
    .filter((bar) => !carried.has(bar.id))
    .flatMap((bar) => [bar.at.end, bar.at.changeover])
    .filter((mark) => (direction > 0 ? start < mark && mark < next : next < mark && mark < start));
  if (between.length) next = direction > 0 ? Math.min(...between) : Math.max(...between);
  if (next < soonest) next = soonest;
  if (spanAt(row, next)) return next;
  if (direction > 0) return opened(row, next);
  const before = row.open.filter(([, until]) => until <= next).at(-1);
  return before ? Math.max(before[0], before[1] - minutes, Math.min(soonest, before[1])) : opened(row, soonest);
}
