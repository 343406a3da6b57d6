import { copyFile, open, stat, truncate } from 'node:fs/promises';

/** A guest can make QEMU complain without end. */
const MAX_LOG_BYTES = 8 * 1024 * 1024;
const TAIL_BYTES = 2_000;

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

/** The end of a log, as the reason in an error. */
export async function logTail(path: string): Promise<string> {
  try {
    await using file = await open(path, 'r');
    const { size } = await file.stat();
    const length = Math.min(size, TAIL_BYTES);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length);
    return buffer.toString('utf8', 0, bytesRead).trim() || 'it printed nothing';
  } catch {
    return 'it printed nothing';
  }
}
