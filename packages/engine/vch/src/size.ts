import { invalidOption } from './vch-error.ts';

const UNITS: Readonly<Record<string, number>> = { '': 2 ** 20, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };

/** Reads a size such as `8GB`, `512M` or `100` (megabytes); units are binary, as vic-machine always took them. */
export function parseSize(text: string, option: string): number {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)\s*([KMGT]?)(?:i?B)?$/i.exec(text.trim());
  const unit = UNITS[(match?.[2] ?? '').toUpperCase()];
  if (match?.[1] === undefined || unit === undefined) {
    throw invalidOption(`"${text.slice(0, 40)}" is not a size.`, `Write ${option} as, for example, 8GB or 512MB.`);
  }
  return Math.round(Number(match[1]) * unit);
}

/** Reads a time such as `3m`, `90s` or `1h30m`, as Go writes them. */
export function parseDuration(text: string, option: string): number {
  const match = /^(?:(\d{1,4})h)?(?:(\d{1,5})m)?(?:(\d{1,6})s)?$/.exec(text.trim());
  const [, hours, minutes, seconds] = match ?? [];
  if (match === null || match[0] === '') {
    throw invalidOption(`"${text.slice(0, 40)}" is not a duration.`, `Write ${option} as, for example, 3m or 1h30m.`);
  }
  return (Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0)) * 1000;
}
