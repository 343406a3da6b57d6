import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { link, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { hostname } from 'node:os';
import { basename, dirname } from 'node:path';
import { type ProcessIdentity, identifyProcess, isAlive } from './pid.ts';

interface Holder extends ProcessIdentity {
  readonly host: string;
}

/**
 * Takes a lock that is a file, until what is given back is disposed of; `undefined` while another process has it.
 * One that a killed process of this machine left behind is taken over; of another machine nothing is known, so that
 * an administrator has to remove the file.
 */
export async function acquireLockFile(path: string): Promise<AsyncDisposable | undefined> {
  const isOurs = (await create(path)) || ((await isLeftBehind(path)) && (await takeOver(path)));
  return isOurs ? { [Symbol.asyncDispose]: async () => rm(path, { force: true }) } : undefined;
}

/** It appears with its content, so that nobody takes it for one left behind. */
async function create(path: string): Promise<boolean> {
  const draft = `${path}.${randomBytes(6).toString('hex')}.new`;
  try {
    const holder = { ...(await identifyProcess(process.pid)), host: hostname() };
    await writeFile(draft, JSON.stringify(holder), { flag: 'wx', mode: 0o600 });
    await link(draft, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  } finally {
    await rm(draft, { force: true });
  }
}

/** One process at a time looks and removes: another would remove what the first has put there in the meantime. */
async function takeOver(path: string): Promise<boolean> {
  await using turn = await takeTurn(path);
  if (turn === undefined || !(await isLeftBehind(path))) return false;
  await rm(path, { force: true });
  return create(path);
}

/** A turn at a file, which the kernel ends with its process: an abstract socket, by whatever path the file is known. */
async function takeTurn(path: string): Promise<AsyncDisposable | undefined> {
  const { dev, ino } = await stat(dirname(path));
  const place = createHash('sha256')
    .update(`${dev}/${ino}/${basename(path)}`)
    .digest('hex');
  const server = createServer();
  try {
    await once(server.listen(`\0vic-lock-${place}`), 'listening');
    return server;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined;
    throw error;
  }
}

async function isLeftBehind(path: string): Promise<boolean> {
  const holder = parse(await readFile(path, 'utf8').catch(() => ''));
  return holder?.host === hostname() && !(await isAlive(holder));
}

function parse(text: string): Holder | undefined {
  try {
    const { pid, startTicks, host } = JSON.parse(text) as Partial<Holder>;
    if (pid === undefined || startTicks === undefined || host === undefined) return undefined;
    return { pid, startTicks, host };
  } catch {
    return undefined;
  }
}
