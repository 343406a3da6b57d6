import { isDataSubtype } from '@vic/vim';
import type { LoggedEvent } from './event-log.ts';

/** JSON has no times: one is written as an object with this field. */
const TIME = '$timeMs';

/** An event as a line of text. */
export function encodeEvent(event: LoggedEvent): string {
  return JSON.stringify(event, function (this: Record<string, unknown>, name, value: unknown) {
    const original = this[name];
    return original instanceof Date ? { [TIME]: original.getTime() } : value;
  });
}

/** The event in a line; `undefined` when it is none. */
export function decodeEvent(line: string): LoggedEvent | undefined {
  try {
    const value: unknown = JSON.parse(line, (_, field: unknown) => timeOf(field) ?? field);
    return isEvent(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function timeOf(field: unknown): Date | undefined {
  if (typeof field !== 'object' || field === null || !(TIME in field)) return undefined;
  return new Date(Number(field[TIME]));
}

function isEvent(value: unknown): value is LoggedEvent {
  const { $type, key, createdTime } = (value ?? {}) as Partial<Record<string, unknown>>;
  return (
    typeof $type === 'string' &&
    isDataSubtype($type, 'Event') &&
    Number.isSafeInteger(key) &&
    createdTime instanceof Date &&
    !Number.isNaN(createdTime.getTime())
  );
}
