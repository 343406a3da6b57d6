import { randomBytes } from 'node:crypto';
import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
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
  const isOurs = (await create(path)) || ((await isLeftBehind(path)) && (await replace(path)));
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

async function replace(path: string): Promise<boolean> {
  await rm(path, { force: true });
  return create(path);
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
