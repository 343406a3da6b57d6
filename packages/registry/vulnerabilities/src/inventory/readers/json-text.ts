/** A JSON object of unknown shape. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** The JSON object in a file of a tenant; an empty one when it is something else. */
export function jsonObjectOf(content: Buffer): JsonObject {
  try {
    return objectOf(JSON.parse(content.toString('utf8')));
  } catch {
    return {};
  }
}

/** The value when it is an object, else an empty one. */
export function objectOf(value: unknown): JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : {};
}

/** The value when it is a list, else an empty one. */
export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** The value when it is a text, else the empty one. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
