import type { Readable } from 'node:stream';

/** One datastore as `Datastore.summary` and `.info` report it. */
export interface DatastoreSummary {
  readonly name: string;
  /** Absolute directory on the host. */
  readonly directory: string;
  readonly capacityBytes: number;
  readonly freeBytes: number;
}

/** One file or directory. */
export interface DatastoreFile {
  /** Name without its folder. */
  readonly name: string;
  readonly kind: 'file' | 'directory' | 'disk';
  readonly sizeBytes: number;
  readonly modifiedAtMs: number;
}

/** A virtual disk. */
export interface VirtualDiskInfo {
  readonly capacityBytes: number;
  /** Bytes the file itself takes on the host. */
  readonly allocatedBytes: number;
  /** Datastore path of the parent, for a child disk. */
  readonly parent: string | undefined;
}

/**
 * Files and virtual disks by datastore path (`[datastore1] folder/file.vmdk`).
 *
 * Every call refuses paths that are malformed, leave the datastore or name an unknown one. Faults are
 * VicErrors: NotFound, AlreadyExists, InvalidArgument, Conflict (a disk in use), ResourceExhausted.
 */
export interface DatastoreBackend {
  datastores(): Promise<readonly DatastoreSummary[]>;
  /** The absolute host path of a datastore path, whether or not the file exists. */
  resolve(path: string): string;
  stat(path: string): Promise<DatastoreFile>;
  list(path: string): Promise<readonly DatastoreFile[]>;
  makeDirectory(path: string, options: { readonly parents: boolean }): Promise<void>;
  /** Removes a file, or a directory with everything in it. */
  delete(path: string): Promise<void>;
  move(source: string, destination: string, options: { readonly force: boolean }): Promise<void>;
  copy(source: string, destination: string, options: { readonly force: boolean }): Promise<void>;
  /** Reads `[start, endExclusive)` of a file as it is now; the stream ends early when the file shrinks. */
  read(path: string, range?: { readonly start: number; readonly endExclusive: number }): Promise<Readable>;
  /** Replaces the file atomically once the stream has ended well; leaves nothing behind otherwise. */
  write(
    path: string,
    content: Readable,
    signal: AbortSignal,
  ): Promise<{ readonly sizeBytes: number; readonly created: boolean }>;

  createDisk(path: string, capacityBytes: number): Promise<void>;
  /** A thin child that reads through to `parent`; both stay on datastores. */
  createChildDisk(path: string, parent: string): Promise<void>;
  copyDisk(source: string, destination: string): Promise<void>;
  extendDisk(path: string, capacityBytes: number): Promise<void>;
  deleteDisk(path: string): Promise<void>;
  diskInfo(path: string): Promise<VirtualDiskInfo>;
}
