import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { runProgram } from './program.ts';
import { buildTether } from './tether-binary.ts';

const ROOT = dirname(dirname(import.meta.dirname));
const BUILD = join(import.meta.dirname, 'build.ts');
const LOCK = join(ROOT, 'build/guest.lock');
const OUTPUTS = ['vmlinuz', 'initramfs.img', 'bootstrap.iso'];
const scratch = mkdtempSync(join(tmpdir(), 'vic-image-'));

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

function build(directory: string): Record<string, string> {
  // The cache and the tether are the tree's: one build at a time.
  mkdirSync(dirname(LOCK), { recursive: true });
  runProgram('flock', [LOCK, process.execPath, BUILD, directory]);
  return Object.fromEntries(OUTPUTS.map((name) => [name, digest(join(directory, name))]));
}

function digest(path: string): string {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

describe('the guest image', () => {
  it('is byte-identical when built again elsewhere', () => {
    expect(build(join(scratch, 'one'))).toEqual(build(join(scratch, 'two')));
  }, 1_200_000);

  it('is left alone when nothing has changed', () => {
    const directory = join(scratch, 'one');
    build(directory);
    const before = OUTPUTS.map((name) => statSync(join(directory, name)).ino);
    build(directory);
    expect(OUTPUTS.map((name) => statSync(join(directory, name)).ino)).toEqual(before);
  }, 1_200_000);

  it('has a tether that a compilation from nothing gives again', () => {
    build(join(scratch, 'one'));
    const again = buildTether(join(ROOT, 'guest/agent'), join(scratch, 'target'));
    expect(existsSync(again)).toBe(true);
    expect(digest(again)).toBe(digest(join(ROOT, 'build/agent/release/tether')));
  }, 1_200_000);

  it('boots by isolinux with the product command line', () => {
    const directory = join(scratch, 'one');
    build(directory);
    const iso = join(directory, 'bootstrap.iso');
    const report = runProgram('xorriso', ['-report_about', 'WARNING', '-indev', iso, '-report_el_torito', 'plain']);
    expect(report).toContain('/isolinux/isolinux.bin');
    const menu = join(scratch, 'isolinux.cfg');
    runProgram('xorriso', [
      '-report_about',
      'WARNING',
      '-osirrox',
      'on',
      '-indev',
      iso,
      '-extract',
      '/isolinux/isolinux.cfg',
      menu,
    ]);
    expect(readFileSync(menu, 'utf8')).toMatch(
      /KERNEL \/boot\/vmlinuz\n +INITRD \/boot\/initramfs.img\n +APPEND console=ttyS0 quiet panic=-1 /,
    );
  }, 1_200_000);
});
