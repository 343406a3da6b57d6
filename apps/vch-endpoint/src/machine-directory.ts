import { appendFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { VicError } from '@vic/errors';

/** What the endpoint says about itself in its VM's guestinfo. */
export interface EndpointReport {
  /** `initializing`, `running`, or what went wrong. */
  readonly status?: string;
  /** Where the Docker API is. */
  readonly address?: string;
}

/** The directory through which a process VM and its host talk. */
export class MachineDirectory {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** Where attached disks appear. */
  get disks(): string {
    return join(this.#path, 'disks');
  }

  /** For what is on its way to an image; it stays when the program is killed, and goes with the VM's power. */
  get spool(): string {
    return join(this.#path, 'spool');
  }

  /** The VM's `guestinfo.*` keys, secrets included. */
  async guestinfo(): Promise<Readonly<Record<string, string>>> {
    const path = join(this.#path, 'guestinfo.json');
    let value: unknown;
    try {
      value = JSON.parse(await readFile(path, 'utf8'));
    } catch (cause) {
      throw unreadable(path, cause);
    }
    if (typeof value !== 'object' || value === null) throw unreadable(path, undefined);
    return Object.fromEntries(
      Object.entries(value).flatMap(([key, text]: [string, unknown]) =>
        typeof text === 'string' ? [[key, text]] : [],
      ),
    );
  }

  /** Writes to the VM's guestinfo, by its journal. */
  async report(report: EndpointReport): Promise<void> {
    const lines = Object.entries(report).map(([name, value]: [string, string]) =>
      JSON.stringify({ key: `guestinfo.vch.${name}`, value }),
    );
    await appendFile(join(this.#path, 'guestinfo.out'), lines.map((line) => `${line}\n`).join(''));
  }
}

function unreadable(path: string, cause: unknown): VicError {
  return new VicError({
    class: 'DataLoss',
    code: 'ENDPOINT_WITHOUT_GUESTINFO',
    message: `The configuration of the endpoint VM cannot be read from ${path}.`,
    remedy: 'The endpoint is started by powering on its VM, which vic-machine create makes.',
    cause,
  });
}
