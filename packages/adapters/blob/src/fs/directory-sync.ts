import { open } from 'node:fs/promises';

interface Pending {
  readonly current: Promise<void>;
  next: Promise<void> | undefined;
}

/** Makes the entries of directories durable; requests that come while one is under way share the next. */
export class DirectorySync {
  readonly #pending = new Map<string, Pending>();

  /** Resolves when every entry made before the call is on disk. */
  async sync(directory: string): Promise<void> {
    const pending = this.#pending.get(directory);
    if (pending === undefined) return this.#start(directory);
    pending.next ??= pending.current.then(
      async () => this.#start(directory),
      async () => this.#start(directory),
    );
    return pending.next;
  }

  #start(directory: string): Promise<void> {
    const pending: Pending = { current: syncDirectory(directory), next: undefined };
    this.#pending.set(directory, pending);
    const finish = (): void => {
      if (pending.next === undefined) this.#pending.delete(directory);
    };
    return pending.current.finally(finish);
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
