import { protocolError } from './protocol-error.ts';

/** Decodes JSON text that must be valid UTF-8. */
export function parseJson(payload: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(payload));
  } catch (error) {
    throw protocolError(`a message is not JSON (${error instanceof Error ? error.message.slice(0, 80) : 'unknown'})`);
  }
}

/** Reads the fields of an untrusted object one by one, with bounds, and refuses what nobody asked for. */
export class ObjectReader {
  readonly #fields: ReadonlyMap<string, unknown>;
  readonly #path: string;
  readonly #read = new Set<string>();

  constructor(value: unknown, path: string) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw protocolError(`${path} is not an object`);
    this.#fields = new Map(Object.entries(value));
    this.#path = path;
  }

  /** Whether the field is there. */
  has(name: string): boolean {
    return this.#fields.has(name);
  }

  /** A whole number within bounds. */
  integer(name: string, min: number, max: number): number {
    const value = this.#take(name);
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max)
      throw this.#bad(name, 'a number in range');
    return value;
  }

  boolean(name: string): boolean {
    const value = this.#take(name);
    if (typeof value !== 'boolean') throw this.#bad(name, 'true or false');
    return value;
  }

  /** A string without NUL whose UTF-8 form has between `min` and `max` bytes. */
  text(name: string, min: number, max: number): string {
    return checkText(this.#take(name), min, max) ?? this.#fail(name, 'text of an allowed length');
  }

  /** Hexadecimal digits, lower-case, of between `min` and `max` bytes. */
  hex(name: string, min: number, max: number): string {
    const value = this.text(name, min * 2, max * 2);
    if (value.length % 2 !== 0 || !/^[0-9a-f]*$/.test(value)) throw this.#bad(name, 'hexadecimal');
    return value;
  }

  /** Nanoseconds since 1970 as decimal text, before the year 2262. */
  nanoseconds(name: string): string {
    const value = this.text(name, 1, 19);
    if (!/^(0|[1-9][0-9]{0,18})$/.test(value) || BigInt(value) > 0x7fff_ffff_ffff_ffffn)
      throw this.#bad(name, 'a time in nanoseconds');
    return value;
  }

  /** One of the given words. */
  word<W extends string>(name: string, words: readonly W[]): W {
    const value = this.#take(name);
    return words.find((word) => word === value) ?? this.#fail(name, `one of ${words.join(', ')}`);
  }

  /** A list of strings. */
  texts(name: string, maxItems: number, maxBytes: number): string[] {
    return this.#list(name, maxItems).map(
      (item) => checkText(item, 0, maxBytes) ?? this.#fail(name, 'a list of texts'),
    );
  }

  /** A nested object. */
  object<T>(name: string, read: (reader: ObjectReader) => T): T {
    const reader = new ObjectReader(this.#take(name), `${this.#path}.${name}`);
    const value = read(reader);
    reader.end();
    return value;
  }

  /** A list of nested objects. */
  objects<T>(name: string, maxItems: number, read: (reader: ObjectReader) => T): T[] {
    return this.#list(name, maxItems).map((item, index) => {
      const reader = new ObjectReader(item, `${this.#path}.${name}[${index}]`);
      const value = read(reader);
      reader.end();
      return value;
    });
  }

  /** Refuses fields that have not been read. */
  end(): void {
    for (const name of this.#fields.keys()) {
      if (!this.#read.has(name))
        throw protocolError(`${this.#path} has an unknown field ${JSON.stringify(name.slice(0, 40))}`);
    }
  }

  #list(name: string, maxItems: number): unknown[] {
    const value = this.#take(name);
    if (!Array.isArray(value) || value.length > maxItems) throw this.#bad(name, `a list of at most ${maxItems}`);
    return value;
  }

  #take(name: string): unknown {
    this.#read.add(name);
    return this.#fields.get(name);
  }

  #fail(name: string, expected: string): never {
    throw this.#bad(name, expected);
  }

  #bad(name: string, expected: string): Error {
    return protocolError(`${this.#path}.${name} is not ${expected}`);
  }
}

function checkText(value: unknown, min: number, max: number): string | undefined {
  if (typeof value !== 'string' || value.includes('\0') || !value.isWellFormed()) return undefined;
  const size = Buffer.byteLength(value);
  return size < min || size > max ? undefined : value;
}
