import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { cpioArchive } from './cpio.ts';
import { orderedModules } from './kernel-modules.ts';

const scratch = mkdtempSync(join(tmpdir(), 'vic-modules-'));

afterAll(() => rmSync(scratch, { recursive: true, force: true }));

describe('cpioArchive()', () => {
  it('writes aligned newc entries with nothing that changes from day to day', () => {
    const archive = cpioArchive([
      { path: 'dev', mode: 0o040_755 },
      { path: 'dev/console', mode: 0o020_600, device: [5, 1] },
      { path: 'init', mode: 0o100_755, content: Buffer.from('hello') },
    ]).toString('latin1');
    expect(archive.length % 4).toBe(0);
    expect(archive.slice(0, 110)).toBe(
      '070701' +
        ['1', '41ed', '0', '0', '1', '0', '0', '0', '0', '0', '0', '4', '0']
          .map((field) => field.padStart(8, '0'))
          .join(''),
    );
    expect(archive).toContain('0000000500000001');
    expect(archive).toMatch(/init\0+hello\0+070701/);
    expect(archive).toMatch(/TRAILER!!!\0+$/);
  });
});

describe('orderedModules()', () => {
  const tree = (): string => {
    mkdirSync(join(scratch, 'kernel/drivers'), { recursive: true });
    const module = (name: string, depends: string): void =>
      writeFileSync(join(scratch, `kernel/drivers/${name}.ko`), `\0license=GPL\0depends=${depends}\0`);
    module('top', 'middle,low-level');
    module('middle', 'low_level');
    module('low-level', '');
    writeFileSync(join(scratch, 'modules.builtin'), 'kernel/fs/ext4/ext4.ko\n');
    return scratch;
  };

  it('puts what a module depends on before it, once', () => {
    expect(orderedModules(tree(), ['top', 'middle'], []).map(({ name }) => name)).toEqual([
      'low_level',
      'middle',
      'top',
    ]);
  });

  it('leaves out what is built in or optional and absent, and refuses what is wanted and absent', () => {
    expect(orderedModules(tree(), ['ext4', 'low_level'], ['absent'])).toHaveLength(1);
    expect(() => orderedModules(tree(), ['absent'], [])).toThrow(/no module absent/);
  });
});
