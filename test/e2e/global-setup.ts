import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { busybox } from '../../tools/lab/images/index.ts';
import { Lab } from '../../tools/lab/lab.ts';

/** What the test files need to find the lab that {@link setup} brought up. */
export interface LabAddress {
  readonly instance: string;
  readonly directory: string;
  readonly vch: string;
}

declare module 'vitest' {
  interface ProvidedContext {
    lab: LabAddress;
  }
}

/** One host, registry and VCH of their own for a whole run of end-to-end tests, removed afterwards. */
export default async function setup(project: {
  provide(key: 'lab', value: LabAddress): void;
}): Promise<() => Promise<void>> {
  // Machines run as users of their own and must be able to enter the directory.
  const directory = await mkdtemp(join(tmpdir(), 'vic-e2e-'));
  await chmod(directory, 0o755);
  const address = { instance: `e2e-${process.pid}`, directory: join(directory, 'lab'), vch: 'e2e' };
  const lab = new Lab(address.instance, address.directory);
  const down = async (): Promise<void> => {
    await lab.down();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await lab.startHostd();
    await lab.startRegistry();
    await lab.push(busybox);
    await lab.createVch(address.vch);
  } catch (error) {
    if (process.env['VIC_KEEP_LAB'] === undefined) await down();
    throw error;
  }
  project.provide('lab', address);
  return process.env['VIC_KEEP_LAB'] === undefined ? down : async () => undefined;
}
