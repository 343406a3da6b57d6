import { invalid } from '../http/docker-error.ts';

const DEFAULT_KEYS = 'ctrl-p,ctrl-q';
const CONTROL_BASE = 64;
/** A sequence of keys nobody could type is a mistake. */
const MAX_KEYS = 32;

/** The bytes of a key sequence such as `ctrl-p,ctrl-q` or `a,b`; the default one for an empty text. */
export function parseDetachKeys(text: string): Uint8Array {
  const keys = (text === '' ? DEFAULT_KEYS : text).split(',');
  if (keys.length > MAX_KEYS) throw invalid(`Invalid detach keys (${text.slice(0, 64)}) provided`);
  return Uint8Array.from(keys, (key) => byteOf(key, text));
}

function byteOf(key: string, text: string): number {
  const [, control] = /^ctrl-([a-zA-Z@[\\\]^_])$/.exec(key) ?? [];
  if (control !== undefined) return control.toUpperCase().charCodeAt(0) - CONTROL_BASE;
  if (/^[\x20-\x7e]$/.test(key)) return key.charCodeAt(0);
  throw invalid(`Invalid detach keys (${text.slice(0, 64)}) provided`);
}

/** Watches what is typed for the key sequence; keys that may still begin it are held back. */
export class DetachScanner {
  readonly #keys: Uint8Array;
  #matched = 0;

  constructor(keys: Uint8Array) {
    this.#keys = keys;
  }

  /** The bytes to pass on, and whether the sequence was completed (what follows it is dropped). */
  push(chunk: Uint8Array): { readonly passed: Uint8Array; readonly detached: boolean } {
    const passed: number[] = [];
    for (const byte of chunk) {
      if (byte !== this.#keys[this.#matched]) {
        passed.push(...this.#keys.subarray(0, this.#matched));
        this.#matched = 0;
      }
      if (byte !== this.#keys[this.#matched]) {
        passed.push(byte);
        continue;
      }
      this.#matched++;
      if (this.#matched === this.#keys.length) return { passed: Uint8Array.from(passed), detached: true };
    }
    return { passed: Uint8Array.from(passed), detached: false };
  }
}
