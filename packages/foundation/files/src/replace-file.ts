import { randomBytes } from 'node:crypto';
import { open, rename, rm } from 'node:fs/promises';

/** Options of {@link replaceFile}. */
export interface ReplaceFileOptions {
  /** Permissions of the new file, less the umask. */
  readonly mode: number;
  /** The content is on disk when the promise resolves; otherwise only a crash of the program is survived. */
  readonly durable?: boolean;
}

/** Gives a file a new content in one step, so that a reader, or a crash, sees the old or the new one. */
export async function replaceFile(
  path: string,
  content: string | Uint8Array,
  options: ReplaceFileOptions,
): Promise<void> {
  const draft = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await writeDraft(draft, content, options);
    await rename(draft, path);
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

async function writeDraft(draft: string, content: string | Uint8Array, options: ReplaceFileOptions): Promise<void> {
  await using file = await open(draft, 'wx', options.mode);
  await file.writeFile(content);
  if (options.durable === true) await file.datasync();
}
