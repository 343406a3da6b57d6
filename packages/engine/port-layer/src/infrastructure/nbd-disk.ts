import type { NbdClient } from '@vic/nbd';
import type { AttachedDisk } from '../storage/index.ts';

/** A disk attached to the endpoint, written over NBD. */
export class NbdDisk implements AttachedDisk {
  readonly #nbd: NbdClient;
  readonly #attachment: AsyncDisposableStack;

  /** Disposing `attachment` closes the connection and takes the disk out of the machine. */
  constructor(nbd: NbdClient, attachment: AsyncDisposableStack) {
    this.#nbd = nbd;
    this.#attachment = attachment;
  }

  async write(offset: number, bytes: Uint8Array, signal?: AbortSignal): Promise<void> {
    await this.#nbd.write(offset, bytes, signal);
  }

  async writeStream(offset: number, source: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<number> {
    return this.#nbd.writeStream(offset, source, signal);
  }

  async flush(signal?: AbortSignal): Promise<void> {
    await this.#nbd.flush(signal);
  }

  async detach(): Promise<void> {
    await this.#attachment.disposeAsync();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.detach();
  }
}
