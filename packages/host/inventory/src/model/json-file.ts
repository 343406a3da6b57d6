import { readFile } from 'node:fs/promises';
import { VicError } from '@vic/errors';
import { replaceFile } from '@vic/files';

/** Replaces a JSON file atomically, readable by its owner only; it is on disk when the promise resolves. */
export async function writeJsonFile(path: string, value: unknown): Promise<void> {
  await replaceFile(path, JSON.stringify(value), { mode: 0o600, durable: true });
}

/** The value of a JSON file, `undefined` when there is no such file. */
export async function readJsonFile(path: string): Promise<unknown> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new VicError({
      class: 'DataLoss',
      code: 'INVENTORY_FILE_DAMAGED',
      message: `${path} is not valid JSON.`,
      cause,
    });
  }
}
