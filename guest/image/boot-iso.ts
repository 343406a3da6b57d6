import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runProgram } from './program.ts';

/** Where the parts of the ISO come from. */
export interface BootIsoParts {
  readonly kernel: string;
  readonly initramfs: string;
  readonly commandLine: string;
  /** isolinux.bin and ldlinux.c32. */
  readonly isolinux: readonly string[];
}

/** Seconds since 1970 that stand in for every date: 2026-01-01. */
const EPOCH = '1767225600';

/** Writes an ISO that boots by isolinux; the same parts give the same bytes. */
export function writeBootIso(target: string, staging: string, parts: BootIsoParts): void {
  rmSync(staging, { recursive: true, force: true });
  mkdirSync(join(staging, 'isolinux'), { recursive: true });
  mkdirSync(join(staging, 'boot'));
  for (const path of parts.isolinux)
    copyFileSync(path, join(staging, 'isolinux', path.slice(path.lastIndexOf('/') + 1)));
  copyFileSync(parts.kernel, join(staging, 'boot/vmlinuz'));
  copyFileSync(parts.initramfs, join(staging, 'boot/initramfs.img'));
  const menu = [
    'DEFAULT vic',
    'PROMPT 0',
    'LABEL vic',
    '  KERNEL /boot/vmlinuz',
    '  INITRD /boot/initramfs.img',
    `  APPEND ${parts.commandLine}`,
  ];
  writeFileSync(join(staging, 'isolinux/isolinux.cfg'), `${menu.join('\n')}\n`);
  const boot = [
    '-b',
    'isolinux/isolinux.bin',
    '-c',
    'isolinux/boot.cat',
    '-no-emul-boot',
    '-boot-load-size',
    '4',
    '-boot-info-table',
  ];
  runProgram(
    'xorriso',
    [
      '-report_about',
      'WARNING',
      '-as',
      'mkisofs',
      '-quiet',
      '-r',
      '-J',
      '-V',
      'VIC_BOOTSTRAP',
      // SOURCE_DATE_EPOCH covers the volume; the files staged a moment ago have dates of their own.
      '--set_all_file_dates',
      `=${EPOCH}`,
      ...boot,
      '-o',
      target,
      staging,
    ],
    {
      env: { SOURCE_DATE_EPOCH: EPOCH },
    },
  );
  rmSync(staging, { recursive: true });
}
