import { chown, mkdir, open, rm, symlink } from 'node:fs/promises';
import { constants } from 'node:fs';
import { join } from 'node:path';
import { VicError } from '@vic/errors';

/**
 * Where the runtime files of one machine are.
 *
 * Folders belong to root, so that a machine that broke out of its guest cannot put links where hostd writes;
 * the one exception is `sockets`, in which hostd only connects.
 */
export class MachineFiles {
  readonly directory: string;
  readonly memory: string;

  constructor(runtimeDirectory: string, memoryDirectory: string, id: string) {
    // The id becomes part of paths: only what a UUID is made of.
    if (!/^[0-9a-fA-F-]{1,64}$/.test(id)) throw badId(id);
    this.directory = join(runtimeDirectory, 'machines', id);
    this.memory = join(memoryDirectory, `${id}.ram`);
  }

  get record(): string {
    return join(this.directory, 'machine.json');
  }
  /** QEMU's own messages, or a program's output. */
  get log(): string {
    return join(this.directory, 'output.log');
  }
  get sockets(): string {
    return join(this.directory, 'sockets');
  }
  get qmp(): string {
    return join(this.sockets, 'qmp');
  }
  get migration(): string {
    return join(this.directory, 'migration');
  }
  /** QEMU's pipe chardev reads `<this>.in` and writes `<this>.out`. */
  get guestinfoPipe(): string {
    return join(this.directory, 'guestinfo');
  }
  get journal(): string {
    return join(this.directory, 'journal');
  }
  get deviceState(): string {
    return join(this.directory, 'device.state');
  }
  /** `VIC_VM_DIRECTORY` of a process VM. */
  get device(): string {
    return join(this.directory, 'device');
  }
  get deviceJournal(): string {
    return join(this.device, 'guestinfo.out');
  }
  get deviceDisks(): string {
    return join(this.device, 'disks');
  }
  get deviceSpool(): string {
    return join(this.device, 'spool');
  }

  /** Makes the folders every machine has. */
  async create(uid: number): Promise<void> {
    await mkdir(this.directory, { recursive: true, mode: 0o711 });
    await mkdir(this.sockets, { recursive: true, mode: 0o700 });
    await chown(this.sockets, uid, uid);
  }

  /** Writes what the guest reads as its configuration, and an empty journal. */
  async writeGuestinfo(uid: number, guestinfo: Readonly<Record<string, string>>): Promise<void> {
    const line = `${JSON.stringify(guestinfo)}\n`;
    await Promise.all([
      replaceOwned(`${this.guestinfoPipe}.in`, uid, 0o600, line),
      replaceOwned(this.journal, uid, 0o600, ''),
      rm(`${this.guestinfoPipe}.out`, { force: true }).then(async () =>
        symlink('/dev/null', `${this.guestinfoPipe}.out`),
      ),
    ]);
  }
}

/** Writes a new file that belongs to a machine's user; whatever was there is gone, never written through. */
export async function replaceOwned(path: string, uid: number, mode: number, content: string): Promise<void> {
  await rm(path, { force: true });
  await using file = await open(path, 'wx', mode);
  await file.writeFile(content);
  await file.chown(uid, uid);
}

/** Makes sure a file a machine appends to is there and belongs to its user; its content stays. */
export async function appendable(path: string, uid: number): Promise<void> {
  const { O_CREAT, O_APPEND, O_WRONLY, O_NOFOLLOW } = constants;
  await using file = await open(path, O_CREAT | O_APPEND | O_WRONLY | O_NOFOLLOW, 0o640);
  if (!(await file.stat()).isFile()) throw notAFile(path);
  await file.chown(uid, uid);
}

function badId(id: string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'MACHINE_ID_INVALID',
    message: `"${id.slice(0, 80)}" is not a machine id.`,
  });
}

function notAFile(path: string): VicError {
  return new VicError({
    class: 'InvalidArgument',
    code: 'MACHINE_SERIAL_FILE_INVALID',
    message: `A serial port can only be written to a plain file, which ${path} is not.`,
  });
}
