import { type Dirent } from 'node:fs';
import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { VicError } from '@vic/errors';
import { listOf, objectOf } from '../inventory/readers/json-text.ts';
import { type ParsedAdvisory, parseOsv, parseOsvObject } from './parse-osv.ts';
import { readZipFile } from './zip-file.ts';

/** The largest single advisory published has some 10 MiB. */
const MAX_DOCUMENT_BYTES = 64 * 1024 * 1024;
/** A file may hold a list of advisories; a whole ecosystem in one file is better as a zip. */
const MAX_FILE_BYTES = 512 * 1024 * 1024;

/** How far reading a feed has come. */
export type FeedProgress = (done: number, total: number) => void;

/**
 * The advisories of a feed on this machine: a zip as OSV publishes it (`all.zip`), a directory of JSON files, or
 * one JSON file with an advisory or a list of them.
 */
export async function* readFeed(path: string, progress: FeedProgress): AsyncGenerator<ParsedAdvisory, void, undefined> {
  const found = await stat(path).catch((cause: unknown) => {
    throw unreadable(path, 'cannot be read', cause);
  });
  if (found.isDirectory()) yield* fromDirectory(path, progress);
  else if (await isZip(path)) yield* fromZip(path, progress);
  else yield* fromFile(path, found.size);
}

async function* fromZip(path: string, progress: FeedProgress): AsyncGenerator<ParsedAdvisory, void, undefined> {
  for await (const { name, content, index, count } of readZipFile(path, MAX_DOCUMENT_BYTES)) {
    const advisory = name.endsWith('.json') ? parseOsv(content) : undefined;
    if (advisory !== undefined) yield advisory;
    progress(index + 1, count);
  }
}

async function* fromDirectory(path: string, progress: FeedProgress): AsyncGenerator<ParsedAdvisory, void, undefined> {
  const entries = (await readdir(path, { withFileTypes: true, recursive: true })).filter(isJsonFile);
  for (const [index, entry] of entries.entries()) {
    const file = join(entry.parentPath, entry.name);
    if ((await stat(file)).size > MAX_DOCUMENT_BYTES) throw unreadable(file, 'is too large');
    const advisory = parseOsv(await readFile(file));
    if (advisory !== undefined) yield advisory;
    progress(index + 1, entries.length);
  }
}

function isJsonFile(entry: Dirent): boolean {
  return entry.isFile() && entry.name.endsWith('.json');
}

async function* fromFile(path: string, sizeBytes: number): AsyncGenerator<ParsedAdvisory, void, undefined> {
  if (sizeBytes > MAX_FILE_BYTES) throw unreadable(path, `is larger than ${MAX_FILE_BYTES} bytes`);
  let json: unknown;
  try {
    json = JSON.parse(await readFile(path, 'utf8'));
  } catch (cause) {
    throw unreadable(path, 'is neither a zip nor JSON', cause);
  }
  const documents = Array.isArray(json) ? json : [json, ...listOf(objectOf(json)['vulns'])];
  for (const document of documents) {
    const advisory = parseOsvObject(objectOf(document));
    if (advisory !== undefined) yield advisory;
  }
}

async function isZip(path: string): Promise<boolean> {
  await using file = await open(path, 'r');
  const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
  return bytesRead === 4 && buffer.readUInt16BE(0) === 0x504b;
}

function unreadable(path: string, reason: string, cause?: unknown): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'ADVISORIES_UNREADABLE',
    message: `The advisory feed ${path} ${reason}.`,
    ...(cause === undefined ? {} : { cause }),
  });
}
