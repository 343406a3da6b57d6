import { VicError } from '@vic/errors';
import type { ListColumn } from './list-request.ts';

/** The value in the database of a text in a list query; refuses what the field cannot be. */
export function parseListValue(text: string, field: string, column: ListColumn): string | number {
  switch (column.type) {
    case 'text':
      return unquoted(text);
    case 'number':
      if (/^-?\d{1,15}$/.test(text)) return Number(text);
      throw invalid(field, 'a whole number');
    case 'flag':
      if (text === 'true' || text === '1') return 1;
      if (text === 'false' || text === '0') return 0;
      throw invalid(field, 'true or false');
    case 'time':
      return timeOf(text, field);
  }
}

/** A value in double quotes is text that looks like something else, a number for one. */
function unquoted(text: string): string {
  return /^".*"$/s.test(text) ? text.slice(1, -1) : text;
}

function timeOf(text: string, field: string): number {
  const match = /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d:\d\d(?:\.\d{1,9})?))?(Z|[+-]\d\d:\d\d)?$/.exec(text);
  const [, day, time = '00:00:00', zone = 'Z'] = match ?? [];
  const ms = day === undefined ? Number.NaN : Date.parse(`${day}T${time.slice(0, 12)}${zone}`);
  if (Number.isNaN(ms)) throw invalid(field, 'a time such as 2026-01-31 23:59:59');
  return ms;
}

function invalid(field: string, expected: string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'LIST_QUERY_INVALID',
    message: `invalid list query: "${field}" is ${expected}`,
  });
}
