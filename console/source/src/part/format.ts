// Numbers and dates as the reader's language has them.
const language = navigator.language || "en";
const numbers = new Intl.NumberFormat(language);
const shares = new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 1 });
const rates = new Intl.NumberFormat(language, { maximumFractionDigits: 1 });

export const number = (value: number) => numbers.format(value);
export const rate = (value: number) => rates.format(value);
export const share = (value: number | null | undefined) => (value == null ? "–" : shares.format(value));

export function instant(value: string | null | undefined, timeZone?: string): string {
  if (!value) return "–";
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "short", ...(timeZone && { timeZone }) }).format(
    new Date(value),
  );
}

export const clock = (value: string) =>
  new Intl.DateTimeFormat(language, { timeStyle: "medium" }).format(new Date(value));

/** The last moment of a period that ends before `value`: a midnight reads as the day before it. */
export function lastDay(value: string | null | undefined, timeZone: string): string {
  if (!value) return "–";
  const end = new Date(value);
  const isMidnight = parts(end, timeZone).time === "00:00";
  if (!isMidnight) return instant(value, timeZone);
  return new Intl.DateTimeFormat(language, { dateStyle: "medium", timeZone }).format(new Date(end.getTime() - 1));
}

export const firstDay = (value: string, timeZone: string) =>
  parts(new Date(value), timeZone).time === "00:00"
    ? new Intl.DateTimeFormat(language, { dateStyle: "medium", timeZone }).format(new Date(value))
    : instant(value, timeZone);

/** A day such as 2026-11-24. */
export const day = (value: string) =>
  new Intl.DateTimeFormat(language, { day: "numeric", month: "short", timeZone: "UTC" }).format(new Date(`${value}T00:00:00Z`));

/** The date and the time of an instant in a zone, as fields of a form hold them. */
export function parts(value: Date, timeZone: string): { date: string; time: string } {
  const text = new Intl.DateTimeFormat("sv-SE", {
    timeZone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
  }).format(value);
  return { date: text.slice(0, 10), time: text.slice(11, 16) };
}

export function bytes(value: number): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte", "terabyte"];
  const power = Math.min(Math.floor(Math.log10(Math.max(value, 1)) / 3), units.length - 1);
  return new Intl.NumberFormat(language, {
    style: "unit",
    unit: units[power]!,
    unitDisplay: power === 0 ? "long" : "short",
    maximumFractionDigits: 1,
  }).format(value / 1000 ** power);
}

/** A span such as 2 h 5 min. */
export function span(seconds: number): string {
  const unit = (value: number, name: string) =>
    new Intl.NumberFormat(language, { style: "unit", unit: name, unitDisplay: "short" }).format(value);
  if (seconds < 60) return unit(Math.ceil(seconds), "second");
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 60) return unit(minutes, "minute");
  return `${unit(Math.floor(minutes / 60), "hour")} ${unit(minutes % 60, "minute")}`;
}
