import { copyFile, stat, truncate } from 'node:fs/promises';

/** A guest can make QEMU complain without end. */
const MAX_LOG_BYTES = 8 * 1024 * 1024;

/**
 * Keeps a log that is appended to by a process we do not control from growing for ever.
 *
 * The writer keeps its descriptor, so the file is copied and emptied; lines written in between are lost.
 */
export async function limitLog(path: string, maxBytes = MAX_LOG_BYTES): Promise<void> {
  const size = await stat(path).then(
    (found) => found.size,
    () => 0,
  );
  if (size <= maxBytes) return;
  await copyFile(path, `${path}.1`);
  await truncate(path);
}
