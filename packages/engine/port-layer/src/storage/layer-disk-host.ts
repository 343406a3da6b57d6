/** A disk attached to the endpoint's own VM for writing. Disposing it detaches it if that has not happened yet. */
export interface AttachedDisk extends AsyncDisposable {
  /** Writes bytes at a byte offset. */
  write(offset: number, bytes: Uint8Array, signal?: AbortSignal): Promise<void>;
  /** Writes a stream from a byte offset on; gives how many bytes it was. */
  writeStream(offset: number, source: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<number>;
  /** Resolves when everything written is on stable storage. */
  flush(signal?: AbortSignal): Promise<void>;
  /** Detaches the disk; it is read-only by convention from then on. */
  detach(): Promise<void>;
}

/**
 * Makes disks and attaches them to the endpoint's VM.
 *
 * Paths are relative to the VCH's folder on the datastore (`images/layers/…/disk.vmdk`); their directory
 * exists. A disk left attached by a crash is detached by the implementation before {@link ImageStore.open}.
 */
export interface LayerDiskHost {
  /** Makes an empty thin disk and attaches it. */
  createScratch(path: string, sizeBytes: number, signal: AbortSignal): Promise<AttachedDisk>;
  /** Makes a thin child of the disk at `parentPath` and attaches it. */
  attachChild(path: string, parentPath: string, signal: AbortSignal): Promise<AttachedDisk>;
}
