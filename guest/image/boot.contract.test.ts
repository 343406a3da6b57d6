import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, expect, it } from 'vitest';
import { runProgram } from './program.ts';

// hostd boots the kernel out of the ISO; a server that only knows CD drives boots the ISO itself.

const BUILD = join(import.meta.dirname, 'build.ts');
const LOCK = join(import.meta.dirname, '../../build/guest.lock');
const MEMORY_MIB = 256;
const BOOT_MS = 600_000;
const POLL_MS = 100;
const scratch = mkdtempSync(join(tmpdir(), 'vic-boot-'));

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

/** A firmware's way from the CD to the tether; gives the guest's journal, at the latest when the time is up. */
async function bootFromCd(iso: string, guestInfo: Readonly<Record<string, string>>): Promise<string> {
  const [input, output] = [join(scratch, 'guestinfo'), join(scratch, 'journal')];
  writeFileSync(`${input}.in`, `${JSON.stringify(guestInfo)}\n`);
  symlinkSync('/dev/null', `${input}.out`);
  writeFileSync(output, '');
  const port = (number: number, id: string, name: string, backend: string): string[] => [
    ...['-chardev', `${backend},id=${id}`],
    ...['-device', `virtserialport,bus=serial0.0,nr=${number},chardev=${id},name=${name}`],
  ];
  const qemu = spawn(
    'qemu-system-x86_64',
    [
      ...['-nodefaults', '-no-user-config', '-no-reboot', '-display', 'none', '-vga', 'std'],
      ...['-M', 'pc', '-accel', 'tcg,tb-size=64', '-m', `${MEMORY_MIB}M`],
      ...['-cdrom', iso, '-boot', 'd', '-device', 'virtio-serial-pci,id=serial0'],
      ...port(1, 'tether', 'vic.tether.0', 'null'),
      ...port(2, 'log', 'vic.log.0', 'null'),
      ...port(3, 'in', 'vic.guestinfo.in', `pipe,path=${input}`),
      ...port(4, 'out', 'vic.guestinfo.out', `file,path=${output}`),
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const ended = new Promise<void>((resolve) => qemu.once('close', () => resolve()));
  try {
    const deadline = Date.now() + BOOT_MS;
    while (Date.now() < deadline && qemu.exitCode === null && !readFileSync(output, 'utf8').endsWith('\n'))
      await delay(POLL_MS);
    return readFileSync(output, 'utf8');
  } finally {
    qemu.kill('SIGKILL');
    await ended;
  }
}

it('boots as a CD, up to a tether that has read its configuration', async () => {
  // The cache and the tether are the tree's: one build at a time.
  mkdirSync(dirname(LOCK), { recursive: true });
  runProgram('flock', [LOCK, process.execPath, BUILD, scratch]);
  const iso = join(scratch, 'bootstrap.iso');
  const journal = await bootFromCd(iso, { 'guestinfo.vic.id': 'cd', 'guestinfo.vic.template': 'true' });
  expect(journal).toBe('{"rpc":"instantclone.freeze"}\n');
}, 1_200_000);
