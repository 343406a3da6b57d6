import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { writeBootIso } from './boot-iso.ts';
import { cpioArchive } from './cpio.ts';
import type { CpioEntry } from './cpio.ts';
import { dependencyOf, unpackedPackage } from './debian-package.ts';
import { orderedModules } from './kernel-modules.ts';
import { buildTether, compilerVersion } from './tether-binary.ts';

/*
 * Makes build/guest/{vmlinuz,initramfs.img,bootstrap.iso}: Debian's stock cloud kernel, the modules a container
 * VM needs, and the tether. Quick when nothing has changed, and byte-identical when made again.
 *
 *   node guest/image/build.ts [output directory]
 */

const ROOT = dirname(dirname(import.meta.dirname));
const AGENT = join(ROOT, 'guest/agent');
const CACHE = join(ROOT, 'build/cache');

/** On hostd (virtio) and on vSphere (paravirtual SCSI, vmxnet3); the last two for the power button. */
const MODULES = [
  'virtio_pci',
  'virtio_console',
  'virtio_scsi',
  'sd_mod',
  'virtio_net',
  'squashfs',
  'ext4',
  'overlay',
  'evdev',
  'button',
];
const MODULES_IF_THERE = ['vmw_pvscsi', 'vmxnet3'];

const COMMAND_LINE =
  'console=ttyS0 quiet panic=-1 reboot=t lsm=landlock,lockdown,yama,bpf mitigations=off tsc=reliable no_timer_check cryptomgr.notests random.trust_cpu=on';

const DIRECTORY = 0o040_755;
const PROGRAM = 0o100_755;
const FILE = 0o100_644;
const CHARACTER_DEVICE = 0o020_600;

const OUTPUTS = ['vmlinuz', 'initramfs.img', 'bootstrap.iso'];

main(resolve(process.argv[2] ?? join(ROOT, 'build/guest')));

function main(output: string): void {
  const kernel = unpackedPackage(CACHE, {
    pattern: /^linux-image-.*-cloud-amd64_/,
    resolve: () => dependencyOf('linux-image-cloud-amd64', 'linux-image-'),
  });
  const isolinux = unpackedPackage(CACHE, { pattern: /^isolinux_/, resolve: () => 'isolinux' });
  const syslinux = unpackedPackage(CACHE, { pattern: /^syslinux-common_/, resolve: () => 'syslinux-common' });
  const inputs = digestOfInputs([kernel.archive, isolinux.archive, syslinux.archive, compilerVersion()]);
  if (isCurrent(output, inputs)) return;

  mkdirSync(output, { recursive: true });
  const draft = mkdtempSync(join(output, 'new-'));
  copyFileSync(join(kernel.root, 'boot', onlyMatch(join(kernel.root, 'boot'), /^vmlinuz-/)), join(draft, 'vmlinuz'));
  writeFileSync(join(draft, 'initramfs.img'), initramfs(kernel.root));
  writeBootIso(join(draft, 'bootstrap.iso'), join(draft, 'iso'), {
    kernel: join(draft, 'vmlinuz'),
    initramfs: join(draft, 'initramfs.img'),
    commandLine: COMMAND_LINE,
    isolinux: [
      join(isolinux.root, 'usr/lib/ISOLINUX/isolinux.bin'),
      join(syslinux.root, 'usr/lib/syslinux/modules/bios/ldlinux.c32'),
    ],
  });
  for (const name of OUTPUTS) renameSync(join(draft, name), join(output, name));
  rmSync(draft, { recursive: true });
  writeFileSync(join(output, 'inputs.sha256'), inputs);
  for (const name of OUTPUTS)
    console.log(`${relative(process.cwd(), join(output, name))}: ${statSync(join(output, name)).size} bytes`);
}

function initramfs(kernelRoot: string): Buffer {
  const release = onlyMatch(join(kernelRoot, 'lib/modules'), /./);
  const modules = orderedModules(join(kernelRoot, 'lib/modules', release), MODULES, MODULES_IF_THERE);
  const entries: CpioEntry[] = [
    { path: 'dev', mode: DIRECTORY },
    { path: 'dev/console', mode: CHARACTER_DEVICE, device: [5, 1] },
    { path: 'init', mode: PROGRAM, content: readFileSync(buildTether(AGENT, join(ROOT, 'build/agent'))) },
    { path: 'modules', mode: DIRECTORY },
    // The tether loads them in the order of their names.
    ...modules.map(({ name, path }, index) => ({
      path: `modules/${String(index).padStart(2, '0')}-${name}.ko`,
      mode: FILE,
      content: readFileSync(path),
    })),
  ];
  return cpioArchive(entries);
}

/** Of everything the outputs are made from. */
function digestOfInputs(versions: readonly string[]): string {
  const hash = createHash('sha256').update(versions.join('\n'));
  const sources = [
    ...['Cargo.toml', 'Cargo.lock', ...listed(AGENT, 'src')].map((name) => join(AGENT, name)),
    ...readdirSync(import.meta.dirname)
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .map((name) => join(import.meta.dirname, name)),
  ];
  for (const path of sources.toSorted()) hash.update(`\0${relative(ROOT, path)}\0`).update(readFileSync(path));
  return hash.digest('hex');
}

function isCurrent(output: string, inputs: string): boolean {
  const stamp = join(output, 'inputs.sha256');
  return (
    existsSync(stamp) &&
    readFileSync(stamp, 'utf8') === inputs &&
    OUTPUTS.every((name) => existsSync(join(output, name)))
  );
}

function listed(root: string, directory: string): string[] {
  return readdirSync(join(root, directory)).map((name) => join(directory, name));
}

function onlyMatch(directory: string, pattern: RegExp): string {
  const [name, ...more] = readdirSync(directory).filter((entry) => pattern.test(entry));
  if (name === undefined || more.length > 0)
    throw new Error(`${directory} does not have exactly one ${String(pattern)}`);
  return name;
}
