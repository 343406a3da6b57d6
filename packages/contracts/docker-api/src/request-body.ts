import type { Static, TSchema } from 'typebox';
import Value from 'typebox/value';
import { VicError } from '@vic/errors';

/** Parses a JSON request body and checks it; refuses in the words of Docker's router. */
export function parseBody<T extends TSchema>(schema: T, text: string): Static<T> {
  if (text.trim() === '') throw invalidJson('invalid JSON: got EOF while reading request body');
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw invalidJson(`invalid JSON: ${error instanceof Error ? error.message : 'malformed'}`);
  }
  return checkValue(schema, parsed);
}

/** The same for an endpoint whose body may be left out. */
export function parseOptionalBody<T extends TSchema>(schema: T, text: string): Static<T> {
  return text.trim() === '' ? checkValue(schema, {}) : parseBody(schema, text);
}

function checkValue<T extends TSchema>(schema: T, parsed: unknown): Static<T> {
  const value = withoutNulls(parsed, 0);
  if (Value.Check(schema, value)) return value;
  const [first] = Value.Errors(schema, value);
  const where = first?.instancePath.replaceAll('/', '.').replace(/^\./, '') ?? '';
  throw invalidJson(`invalid JSON: ${where === '' ? 'the body' : where} ${first?.message ?? 'has the wrong type'}`);
}

/** Bodies nest a handful of levels; anything deeper is an attack on the stack. */
const MAX_DEPTH = 32;

/** Go reads `null` as the zero value of the field, which is what an absent field is too. */
function withoutNulls(value: unknown, depth: number): unknown {
  if (depth > MAX_DEPTH) throw invalidJson('invalid JSON: nested too deeply');
  if (Array.isArray(value)) return value.map((item: unknown) => withoutNulls(item, depth + 1));
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([, field]) => field !== null);
  return Object.fromEntries(kept.map(([key, field]) => [key, withoutNulls(field, depth + 1)]));
}

function invalidJson(message: string): VicError {
  return new VicError({ class: 'InvalidArgument', code: 'BODY_INVALID', message });
}
