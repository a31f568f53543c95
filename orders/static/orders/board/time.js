// Minutes since 1970 UTC, as people at the mill read them: in the shop's own time zone.

const STEPS = [5, 15, 30, 60, 120, 180, 360, 720, 1440, 2880, 10080, 20160];

export class Clock {
  constructor(zone, language, words) {
    this.words = words;
    this.parts = new Intl.DateTimeFormat("en-GB", {
      timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit",
    });
    const format = (options) => new Intl.DateTimeFormat(language, { timeZone: zone, hourCycle: "h23", ...options });
    this.hour = format({ hour: "2-digit", minute: "2-digit" });
    this.day = format({ weekday: "short", day: "numeric", month: "short" });
    this.near = format({ weekday: "short", hour: "2-digit", minute: "2-digit" });
    this.far = format({ weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" });
    this.offsets = new Map();
    this.said = new Map();
  }

  // How far the shop's clock is ahead of UTC, in minutes.
  offset(minute) {
    const hour = Math.floor(minute / 60);
    let found = this.offsets.get(hour);
    if (found === undefined) {
      const at = {};
      for (const part of this.parts.formatToParts(new Date(hour * 3600000))) at[part.type] = Number(part.value);
      found = Date.UTC(at.year, at.month - 1, at.day, at.hour, at.minute) / 60000 - hour * 60;
      this.offsets.set(hour, found);
    }
    return found;
  }

  local(minute) { return minute + this.offset(minute); }

  // The minute at which the shop's clock shows that.
  fromLocal(local) {
    const guess = local - this.offset(local);
    return local - this.offset(guess);
  }

  say(minute, now) {
    const near = Math.abs(minute - now) < 6 * 1440;
    const key = near ? minute : -minute;
    let words = this.said.get(key);
    if (words === undefined) {
      words = (near ? this.near : this.far).format(new Date(minute * 60000)).replace(",", "");
      if (this.said.size > 5000) this.said.clear();
      this.said.set(key, words);
    }
    return words;
  }

  // As a datetime-local field has it, and back.
  field(minute) { return new Date(this.local(minute) * 60000).toISOString().slice(0, 16); }

  fromField(text) {
    const at = Date.parse(`${text}:00Z`);
    return Number.isNaN(at) ? null : this.fromLocal(Math.round(at / 60000));
  }

  duration(minutes) {
    const { d, h, min } = this.words;
    minutes = Math.round(Math.abs(minutes));
    if (minutes >= 2880) return `${Math.floor(minutes / 1440)} ${d}${minutes % 1440 >= 60 ? ` ${Math.floor((minutes % 1440) / 60)} ${h}` : ""}`;
    if (minutes >= 60) return `${Math.floor(minutes / 60)} ${h}${minutes % 60 ? ` ${minutes % 60} ${min}` : ""}`;
    return `${minutes} ${min}`;
  }

  // Lines of the axis between two minutes: {at, label, day} where day begins one.
  ticks(from, until, perMinute) {
    const step = STEPS.find((each) => each * perMinute >= 46) ?? STEPS.at(-1);
    const days = Math.max(1440, step);
    const found = [];
    let local = Math.floor(this.local(from) / step) * step;
    if (step > 1440) local = Math.floor((this.local(from) - 4 * 1440) / step) * step + 4 * 1440;  // from Mondays on
    for (let count = 0; count < 400; count += 1, local += step) {
      const at = this.fromLocal(local);
      if (at > until) break;
      const day = local % 1440 === 0;
      found.push({ at, day, label: day && step >= 720 ? this.day.format(new Date(at * 60000)) : this.hour.format(new Date(at * 60000)) });
    }
    const heads = [];
    local = Math.floor(this.local(from) / days) * days;
    if (step < 720) {
      for (; ; local += 1440) {
        const at = this.fromLocal(local);
        if (at > until) break;
        heads.push({ at, label: this.day.format(new Date(at * 60000)) });
      }
    }
    return { lines: found, heads, step };
  }
}

export const fill = (sentence, values) => sentence.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
