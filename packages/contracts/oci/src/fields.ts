import { VicError } from '@vic/errors';

/** A parsed JSON object of unknown shape. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Reads JSON that must be an object, of at most `limitBytes`. */
export function parseJsonObject(text: string, limitBytes: number, what: string): JsonObject {
  if (Buffer.byteLength(text) > limitBytes) throw malformed(what, `is larger than ${limitBytes} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw malformed(what, 'is not JSON');
  }
  return objectOf(value, what);
}

/** The value as an object, or an error naming `what`. */
export function objectOf(value: unknown, what: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw malformed(what, 'is not an object');
  return value as JsonObject;
}

/** The value as an array of at most `limit`; absent and null are empty. */
export function arrayOf(value: unknown, limit: number, what: string): readonly unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw malformed(what, 'is not a list');
  if (value.length > limit) throw malformed(what, `has more than ${limit} entries`);
  return value;
}

/** The value as text; absent and null are the empty text. */
export function textOf(value: unknown, what: string): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') throw malformed(what, 'is not text');
  return value;
}

/** The value as a list of texts; `undefined` when absent or null. */
export function textsOf(value: unknown, what: string): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined;
  return arrayOf(value, 10_000, what).map((entry) => textOf(entry, what));
}

/** The value as a table of texts. */
export function textTableOf(value: unknown, what: string): Readonly<Record<string, string>> {
  if (value === undefined || value === null) return {};
  return Object.fromEntries(Object.entries(objectOf(value, what)).map(([key, text]) => [key, textOf(text, what)]));
}

/** The error for a document that is not what it should be. */
export function malformed(what: string, reason: string): VicError {
  return new VicError({ class: 'InvalidArgument', code: 'OCI_MALFORMED', message: `invalid image: ${what} ${reason}` });
}
