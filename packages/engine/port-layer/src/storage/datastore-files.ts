/** The VCH's files on the datastore. Paths are relative, with `/`, never with `..`. */
export interface DatastoreFiles {
  /** The whole file, or `undefined` when there is none. */
  read(path: string, signal?: AbortSignal): Promise<Buffer | undefined>;
  /** Replaces the file: readers and a crash see the old or the new content, never a mixture. */
  write(path: string, content: string | Uint8Array, signal?: AbortSignal): Promise<void>;
  /** Names directly inside the directory; empty when it does not exist. */
  list(path: string, signal?: AbortSignal): Promise<readonly string[]>;
  /** Deletes a file, or a directory with everything in it, disks included; fine when it does not exist. */
  delete(path: string, signal?: AbortSignal): Promise<void>;
  /** Makes the directory and those above it; fine when it exists. */
  makeDirectory(path: string, signal?: AbortSignal): Promise<void>;
}
