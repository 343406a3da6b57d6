import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { KeyedMutex } from '@vic/async';
import { readJsonFile, writeJsonFile } from './json-file.ts';

/** A kind of record, each in a directory of its own. */
export type RecordKind = 'machines' | 'pools';

/**
 * The inventory's records on disk: single documents (`host`, `networks`, `authorization`) and collections
 * with one file per record, so that a change of one machine writes one small file.
 */
export class StateStore {
  readonly #directory: string;
  readonly #writing = new KeyedMutex();
  readonly #background = new Set<Promise<void>>();

  private constructor(directory: string) {
    this.#directory = directory;
  }

  /** Opens the directory, making it when it is new. */
  static async open(directory: string): Promise<StateStore> {
    for (const path of [directory, join(directory, 'machines'), join(directory, 'pools')]) {
      await mkdir(path, { recursive: true, mode: 0o700 });
    }
    return new StateStore(directory);
  }

  /** A document, `undefined` when it was never written. */
  async read(name: string): Promise<unknown> {
    return readJsonFile(join(this.#directory, `${name}.json`));
  }

  /** Replaces a document; writes of the same one keep their order. */
  async write(name: string, value: unknown): Promise<void> {
    await this.#writing.run(name, async () => writeJsonFile(join(this.#directory, `${name}.json`), value));
  }

  /** All records of a kind. */
  async readAll(kind: RecordKind): Promise<readonly unknown[]> {
    const names = (await readdir(join(this.#directory, kind))).filter((name) => name.endsWith('.json')).toSorted();
    return Promise.all(names.map(async (name) => readJsonFile(join(this.#directory, kind, name))));
  }

  /** Replaces a record. */
  async writeRecord(kind: RecordKind, id: string, value: unknown): Promise<void> {
    await this.write(`${kind}/${id}`, value);
  }

  /** Removes a record. */
  async removeRecord(kind: RecordKind, id: string): Promise<void> {
    const name = `${kind}/${id}`;
    await this.#writing.run(name, async () => rm(join(this.#directory, `${name}.json`), { force: true }));
  }

  /** Remembers work that nobody waits for now, so that {@link settled} can. */
  track(work: Promise<void>): void {
    const tracked = work.finally(() => this.#background.delete(tracked));
    this.#background.add(tracked);
  }

  /** Resolves when all tracked work is done. */
  async settled(): Promise<void> {
    while (this.#background.size > 0) await Promise.all(this.#background);
  }
}
