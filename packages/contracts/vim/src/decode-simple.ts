import { INTEGER_RANGE } from './wire-types.ts';

const INTEGER = /^[+-]?\d{1,19}$/;
const FLOAT = /^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?$/;
const DATE_TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,12})?(Z|[+-]\d\d:\d\d)?$/;

/**
 * Reads the text of a simple type; `undefined` when it is not one.
 *
 * A `long` beyond what a number holds exactly is refused in strict mode and rounded otherwise: a client must be able
 * to read an object even if a field that it does not use holds, say, a 64-bit world wide name.
 */
export function decodeSimple(type: string, text: string, strict: boolean): unknown {
  switch (type) {
    case 'string':
      return text;
    case 'boolean':
      return decodeBoolean(text.trim());
    case 'dateTime':
      return decodeDateTime(text.trim());
    case 'binary':
      return decodeBinary(text);
    case 'float':
    case 'double':
      return decodeFloat(text.trim());
    default:
      return decodeInteger(type, text.trim(), strict);
  }
}

function decodeBoolean(text: string): boolean | undefined {
  if (text === 'true' || text === '1') return true;
  return text === 'false' || text === '0' ? false : undefined;
}

/** A time without a zone is taken as UTC, which is what servers mean. */
function decodeDateTime(text: string): Date | undefined {
  const match = DATE_TIME.exec(text);
  if (match === null) return undefined;
  const date = new Date(match[2] === undefined ? `${text}Z` : text);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

function decodeBinary(text: string): Uint8Array | undefined {
  try {
    return Uint8Array.fromBase64(text);
  } catch {
    return undefined;
  }
}

function decodeFloat(text: string): number | undefined {
  if (text === 'INF') return Number.POSITIVE_INFINITY;
  if (text === '-INF') return Number.NEGATIVE_INFINITY;
  if (text === 'NaN') return Number.NaN;
  return FLOAT.test(text) ? Number(text) : undefined;
}

function decodeInteger(type: string, text: string, strict: boolean): number | undefined {
  const range = INTEGER_RANGE[type];
  if (range === undefined || !INTEGER.test(text)) return undefined;
  const value = Number(text) + 0;
  if (type === 'long' && !strict) return value;
  return value >= range[0] && value <= range[1] ? value : undefined;
}
