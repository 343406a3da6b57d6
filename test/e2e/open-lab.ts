import { readFile, readdir } from 'node:fs/promises';
import { pollUntil } from '@vic/async';
import { inject } from 'vitest';
import type { Docker } from '../../tools/lab/docker.ts';
import { type ImageRecipe, busybox } from '../../tools/lab/images/index.ts';
import { Lab } from '../../tools/lab/lab.ts';

/** The lab of this run, as the test files use it. */
export interface E2eLab {
  readonly lab: Lab;
  readonly docker: Docker;
  /** Where published ports are. */
  readonly vchAddress: string;
  /** Reference of the busybox image in the lab's registry. */
  readonly busybox: string;
  /** Puts an image into the lab's registry; gives its reference. */
  push(recipe: ImageRecipe): Promise<string>;
  removeContainers(): Promise<void>;
  killHostd(): Promise<void>;
  /** Waits until another hostd process than `before` answers. */
  hostdIsBack(before: number): Promise<void>;
  hostdPid(): Promise<number>;
  killEndpoint(): Promise<void>;
  /** The QEMU process of a container. */
  machinePid(containerId: string): Promise<number>;
  /** Kills the QEMU process of a container. */
  killMachineOf(containerId: string): Promise<void>;
  fetchText(url: string): Promise<string | undefined>;
  /** Another VCH on the same host. */
  secondVch(): Promise<{ readonly docker: Docker; readonly name: string }>;
}

/** Connects to the lab that the global set-up brought up. */
export async function openLab(): Promise<E2eLab> {
  const address = inject('lab');
  const lab = new Lab(address.instance, address.directory);
  const environment = await lab.createVch(address.vch);
  const docker = await lab.docker(environment);
  const hostdPid = async (): Promise<number> => (await lab.startHostd()).pid;
  return {
    lab,
    docker,
    vchAddress: new URL(environment['DOCKER_HOST'] ?? '').hostname,
    busybox: await lab.referenceOf(busybox),
    push: (recipe) => lab.push(recipe),
    removeContainers: async () => {
      const ids = (await docker.ok(['ps', '--all', '--quiet'])).split('\n').filter((id) => id !== '');
      if (ids.length === 0) return;
      // One that removes itself may be faster, or not done yet.
      const { stderr } = await docker.run(['rm', '--force', ...ids]);
      const areGone = async (): Promise<true | undefined> =>
        (await docker.ok(['ps', '--all', '--quiet'])) === '' ? true : undefined;
      await pollUntil(areGone, 200, AbortSignal.timeout(60_000)).catch((cause: unknown) => {
        throw new Error(`containers stay: ${stderr}`, { cause });
      });
    },
    hostdPid,
    killHostd: async () => void process.kill(await hostdPid(), 'SIGKILL'),
    hostdIsBack: async (before) =>
      void (await pollUntil(
        async () => {
          const ready = await lab.readHostd();
          return ready !== undefined && ready.pid !== before ? true : undefined;
        },
        100,
        AbortSignal.timeout(180_000),
      )),
    killEndpoint: async () => kill(await oneProcess((command) => command.includes('/programs/vch-endpoint.mjs'))),
    machinePid,
    killMachineOf: async (id) => kill(await machinePid(id)),
    fetchText,
    secondVch: async () => {
      const name = 'second';
      return { name, docker: await lab.docker(await lab.createVch(name, 11)) };
    },
  };

  async function machinePid(id: string): Promise<number> {
    return oneProcess((command) => command.startsWith('qemu-system') && command.includes(id.slice(0, 12)));
  }

  async function oneProcess(matches: (command: string) => boolean): Promise<number> {
    const [pid, ...more] = await findProcesses(lab.directory, matches);
    if (pid === undefined || more.length > 0)
      throw new Error(`expected one process, found ${pid === undefined ? 0 : more.length + 1}`);
    return pid;
  }

  function kill(pid: number): void {
    process.kill(pid, 'SIGKILL');
  }
}

/** Processes of this lab (its directory is in their command line or environment) that match. */
async function findProcesses(directory: string, matches: (command: string) => boolean): Promise<number[]> {
  const pids: number[] = [];
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const command = (await readFile(`/proc/${name}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ');
    const environment = await readFile(`/proc/${name}/environ`, 'utf8').catch(() => '');
    if (matches(command) && `${command}${environment}`.includes(directory)) pids.push(Number(name));
  }
  return pids;
}

async function fetchText(url: string): Promise<string | undefined> {
  try {
    return await (await fetch(url, { signal: AbortSignal.timeout(5_000) })).text();
  } catch {
    return undefined;
  }
}
