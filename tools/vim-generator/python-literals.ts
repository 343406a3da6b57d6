/** A Python literal as the metadata tables use them: text, number, None, or a tuple or list of literals. */
export type PythonLiteral = string | number | null | readonly PythonLiteral[];

/** A call `Name(argument, …)` found at the start of a line. */
export interface PythonCall {
  readonly name: string;
  readonly args: readonly PythonLiteral[];
}

const TOKEN = /\s*(?:"((?:[^"\\]|\\.)*)"|(\d+)|([A-Za-z_][A-Za-z0-9_]*)|([()[\],|]))/y;

/** Reads every top-level call of one of the `wanted` functions in a table's source text. */
export function readCalls(
  source: string,
  wanted: readonly string[],
  flags: Readonly<Record<string, number>>,
): PythonCall[] {
  const calls: PythonCall[] = [];
  for (const line of source.split('\n')) {
    const name = /^([A-Za-z]+)\(/.exec(line)?.[1];
    if (name === undefined || !wanted.includes(name)) continue;
    const args = new LiteralReader(line.slice(name.length), flags).read();
    if (!Array.isArray(args)) throw new Error(`The arguments of ${name} are not a list: ${line.slice(0, 120)}`);
    calls.push({ name, args: args as readonly PythonLiteral[] });
  }
  return calls;
}

/** Reads one literal; sums such as `F_LINK | F_OPTIONAL` become numbers. */
class LiteralReader {
  readonly #text: string;
  readonly #flags: Readonly<Record<string, number>>;
  #position = 0;

  constructor(text: string, flags: Readonly<Record<string, number>>) {
    this.#text = text;
    this.#flags = flags;
  }

  read(): PythonLiteral {
    let value = this.#readOne(this.#next());
    while (this.#peek() === '|') {
      this.#next();
      value = Number(value) | Number(this.#readOne(this.#next()));
    }
    return value;
  }

  #readOne(token: RegExpExecArray): PythonLiteral {
    const [, text, number, name, mark] = token;
    if (text !== undefined) return text;
    if (number !== undefined) return Number(number);
    if (name === 'None') return null;
    if (name !== undefined) return this.#flag(name);
    if (mark === '(' || mark === '[') return this.#readSequence(mark === '(' ? ')' : ']');
    throw new Error(`Unexpected "${token[0]}" at ${this.#position}`);
  }

  #readSequence(end: string): PythonLiteral[] {
    const items: PythonLiteral[] = [];
    while (this.#peek() !== end) {
      items.push(this.read());
      if (this.#peek() === ',') this.#next();
    }
    this.#next();
    return items;
  }

  #flag(name: string): number {
    const value = this.#flags[name];
    if (value === undefined) throw new Error(`Unknown name ${name}`);
    return value;
  }

  #peek(): string | undefined {
    if (this.#position >= this.#text.trimEnd().length) return undefined;
    const before = this.#position;
    const token = this.#next();
    this.#position = before;
    return token[4];
  }

  #next(): RegExpExecArray {
    TOKEN.lastIndex = this.#position;
    const token = TOKEN.exec(this.#text);
    if (token === null) throw new Error(`Cannot read "${this.#text.slice(this.#position, this.#position + 40)}"`);
    this.#position = TOKEN.lastIndex;
    return token;
  }
}
