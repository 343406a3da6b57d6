import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { statSync } from 'node:fs';
import { mkdir, open, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pollUntil } from '@vic/async';
import { randomUuid } from '@vic/ids';
import { silentLogger } from '@vic/log';
import { run } from '@vic/process';
import {
  BootImages,
  QEMU_PROGRAM,
  QmpClient,
  SCSI_BUS,
  SOFTWARE_ACCELERATION,
  machineArguments,
  restoreDeviceState,
  saveDeviceState,
} from '@vic/qemu';
import type { BootImage, MachineMemory } from '@vic/qemu';
import { freePort, temporaryDirectory } from '@vic/testkit';
import { listenForTethers } from '../index.ts';
import type { TetherServer, TetherSession } from '../index.ts';
import { makeContainerDisk } from './container-disk.ts';

const ROOT = join(import.meta.dirname, '../../../../../..');
const MEMORY_MIB = 192;
const CONNECT_MS = 120_000;
const BUILD_MS = 900_000;

/** A machine of the lab. */
export interface GuestMachine extends AsyncDisposable {
  readonly id: string;
  readonly qmp: QmpClient;
  readonly logPath: string;
  /** The status lines so far, folded by key. */
  journal(): Promise<Readonly<Record<string, string>>>;
  /** The journal's text. */
  journalText(): Promise<string>;
  /** Last output of the serial console. */
  console(): Promise<string>;
  /** Resolves when the machine has powered itself off. */
  readonly poweredOff: Promise<void>;
  session(): Promise<TetherSession>;
}

/** How a machine of the lab differs from a plain one. */
export interface MachineOptions {
  readonly template?: boolean;
  readonly memory?: MachineMemory;
  /** The device state to go on from. */
  readonly stateFile?: string;
  readonly withDisk?: boolean;
  /** Size of an empty disk in the place of the container's, which takes it before the state is restored. */
  readonly placeholderBytes?: number;
}

/** Boots the real bootstrap image in QEMU, as hostd does, against a tether server of its own. */
export class GuestLab implements AsyncDisposable {
  readonly directory: string;
  readonly port: number;
  readonly #stack: AsyncDisposableStack;
  readonly #secrets: Map<string, string>;
  readonly #machines = new Set<AsyncDisposableStack>();
  readonly #disk: string;
  readonly #boot: BootImage;
  #server: TetherServer;

  private constructor(parts: {
    stack: AsyncDisposableStack;
    directory: string;
    secrets: Map<string, string>;
    disk: string;
    boot: BootImage;
    server: TetherServer;
  }) {
    this.#stack = parts.stack;
    this.directory = parts.directory;
    this.#secrets = parts.secrets;
    this.#disk = parts.disk;
    this.#boot = parts.boot;
    this.#server = parts.server;
    this.port = parts.server.port;
  }

  /** Builds the image when it is not there, a disk, and the server. */
  static async create(): Promise<GuestLab> {
    await using stack = new AsyncDisposableStack();
    const directory = stack.use(await temporaryDirectory('vic-guest-')).path;
    // One build at a time in this tree, whoever needs it.
    await mkdir(join(ROOT, 'build'), { recursive: true });
    const build = [join(ROOT, 'build/guest.lock'), process.execPath, join(ROOT, 'guest/image/build.ts')];
    await run('flock', build, { timeoutMs: BUILD_MS });
    const boot = await new BootImages(directory).get(join(ROOT, 'build/guest/bootstrap.iso'));
    const disk = await makeContainerDisk(directory);
    const secrets = new Map<string, string>();
    // Not just any port: the server that is started again needs the same.
    const server = await serve(secrets, await freePort());
    return new GuestLab({ stack: stack.move(), directory, secrets, disk, boot, server });
  }

  /** Size of the container's disk. */
  get diskBytes(): number {
    return statSync(this.#disk).size;
  }

  get server(): TetherServer {
    return this.#server;
  }

  /** Ends the server and starts another at the same port, after `meanwhile`: what a killed endpoint looks like. */
  async restartServer(meanwhile?: () => Promise<void>): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
    await meanwhile?.();
    this.#server = await serve(this.#secrets, this.port);
  }

  /** Starts a machine and lets it run. */
  async start(options: MachineOptions = {}): Promise<GuestMachine> {
    await using stack = new AsyncDisposableStack();
    const id = randomUuid();
    const path = (name: string): string => join(this.directory, `${id}.${name}`);
    this.#secrets.set(id, `secret of ${id}`);
    await writeGuestInfo(
      path('guestinfo'),
      id,
      options.template === true ? {} : { secret: `secret of ${id}` },
      options.template === true,
    );
    for (const name of ['log', 'journal']) await writeFile(path(name), '');
    const state = options.stateFile === undefined ? undefined : stack.use(await open(options.stateFile, 'r'));
    const qemu = spawn(QEMU_PROGRAM, [...this.#arguments(id, path, options)], {
      stdio: ['ignore', 'ignore', 'inherit', state?.fd ?? 'ignore'],
    });
    const poweredOff = new Promise<void>((resolve) => qemu.once('close', () => resolve()));
    stack.defer(async () => stop(qemu, poweredOff));
    const qmp = await QmpClient.connect(path('qmp'));
    stack.defer(() => qmp.close());
    const signal = AbortSignal.timeout(CONNECT_MS);
    const hasDisk = options.withDisk !== false;
    const isReplaced = options.placeholderBytes !== undefined;
    if (isReplaced && hasDisk) await this.#addDisk(qmp, path('disk'));
    if (isReplaced && !hasDisk) await addPlaceholder(qmp, options.placeholderBytes);
    if (state !== undefined) await restoreDeviceState(qmp, 3, signal);
    if (!isReplaced && hasDisk) await this.#addDisk(qmp, path('disk'));
    await qmp.execute('cont');
    const owned = stack.move();
    this.#machines.add(owned);
    const journalText = async (): Promise<string> => readFile(path('journal'), 'utf8');
    return {
      id,
      qmp,
      logPath: path('log'),
      poweredOff,
      journalText,
      journal: async () => foldJournal(await journalText()),
      console: async () => String(await qmp.execute('ringbuf-read', { device: 'console', size: 16_384 })),
      session: async () => this.#server.waitForSession(id, AbortSignal.timeout(CONNECT_MS)),
      [Symbol.asyncDispose]: async () => {
        this.#machines.delete(owned);
        await owned.disposeAsync();
      },
    };
  }

  /** Boots a template and freezes it; gives what clones are started with. */
  async freezeTemplate(options: Pick<MachineOptions, 'placeholderBytes'> = {}): Promise<MachineOptions> {
    const memory = { kind: 'file', path: join(this.directory, 'template.ram'), shared: true } as const;
    const stateFile = join(this.directory, 'template.state');
    await using template = await this.start({ ...options, template: true, memory, withDisk: false });
    const signal = AbortSignal.timeout(CONNECT_MS);
    await pollUntil(
      async () => ((await template.journalText()).includes('instantclone.freeze') ? true : undefined),
      20,
      signal,
    );
    await template.qmp.execute('stop');
    await saveDeviceState(
      template.qmp,
      { file: stateFile, socket: join(this.directory, 'migrate'), uid: process.getuid?.() ?? 0 },
      signal,
    );
    return { ...options, memory: { ...memory, shared: false }, stateFile };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // A test that has timed out leaves its machine, on which the whole run would wait.
    for (const machine of this.#machines) await machine.disposeAsync();
    await this.#server[Symbol.asyncDispose]();
    await this.#stack.disposeAsync();
  }

  #arguments(id: string, path: (name: string) => string, options: MachineOptions): readonly string[] {
    const args = machineArguments({
      name: id,
      uuid: id,
      acceleration: SOFTWARE_ACCELERATION,
      cpus: 1,
      memoryMiB: MEMORY_MIB,
      memory: options.memory ?? { kind: 'anonymous' },
      boot: this.#boot,
      qmpSocket: path('qmp'),
      ports: {
        tether: options.template === true ? { kind: 'none' } : { kind: 'connect', host: '127.0.0.1', port: this.port },
        log: { kind: 'append', path: path('log') },
        guestinfoIn: { kind: 'pipe', path: path('guestinfo') },
        guestinfoOut: { kind: 'append', path: path('journal') },
      },
      nic: { mac: '02:00:00:00:00:01', tap: 'none' },
      incoming: options.stateFile !== undefined,
    });
    // No cable: these tests look at the machine, not at the network.
    return args.map((arg) => (arg.startsWith('tap,id=net0,') ? 'hubport,id=net0,hubid=0' : arg));
  }

  async #addDisk(qmp: QmpClient, disk: string): Promise<void> {
    await run('cp', ['--sparse=always', this.#disk, disk]);
    await qmp.execute('blockdev-add', {
      driver: 'raw',
      'node-name': 'disk0',
      discard: 'unmap',
      file: { driver: 'file', filename: disk },
    });
    await qmp.execute('device_add', { driver: 'scsi-hd', drive: 'disk0', bus: SCSI_BUS, 'scsi-id': 0, lun: 0 });
  }
}

async function addPlaceholder(qmp: QmpClient, size: number): Promise<void> {
  await qmp.execute('blockdev-add', { driver: 'null-co', 'node-name': 'disk0', size, 'read-zeroes': true });
  await qmp.execute('device_add', { driver: 'scsi-hd', drive: 'disk0', bus: SCSI_BUS, 'scsi-id': 0, lun: 0 });
}

async function serve(secrets: ReadonlyMap<string, string>, port: number): Promise<TetherServer> {
  return listenForTethers(
    { host: '127.0.0.1', port },
    { secretOf: async (id) => secrets.get(id), logger: silentLogger() },
  );
}

async function writeGuestInfo(
  path: string,
  id: string,
  values: { readonly secret?: string },
  template: boolean,
): Promise<void> {
  const info = {
    'guestinfo.vic.id': id,
    ...(values.secret === undefined ? {} : { 'guestinfo.vic.secret': values.secret }),
    ...(template ? { 'guestinfo.vic.template': 'true' } : {}),
  };
  await writeFile(`${path}.in`, `${JSON.stringify(info)}\n`);
  await symlink('/dev/null', `${path}.out`);
}

function foldJournal(text: string): Readonly<Record<string, string>> {
  const values: Record<string, string> = {};
  for (const line of text.split('\n').filter((candidate) => candidate !== '')) {
    const { key, value } = JSON.parse(line) as { readonly key?: string; readonly value?: string };
    if (key !== undefined && value !== undefined) values[key] = value;
  }
  return values;
}

async function stop(qemu: ChildProcess, ended: Promise<void>): Promise<void> {
  if (qemu.exitCode === null && qemu.signalCode === null) qemu.kill('SIGKILL');
  await ended;
}
