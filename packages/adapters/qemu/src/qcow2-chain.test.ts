import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { temporaryDirectory } from '@vic/testkit';
import { describe, expect, it } from 'vitest';
import { backingChain } from './index.ts';

describe('backingChain()', () => {
  it('follows parents by their relative and absolute names', async () => {
    await using directory = await temporaryDirectory();
    const at = (name: string): string => join(directory.path, name);
    await writeFile(at('scratch'), disk(''));
    await writeFile(at('layer'), disk('scratch'));
    await writeFile(at('top'), disk(at('layer')));
    expect(await backingChain(at('top'))).toEqual([at('layer'), at('scratch')]);
    expect(await backingChain(at('scratch'))).toEqual([]);
  });

  it.each([
    ['a disk that is its own parent', disk('top')],
    ['a parent on the network', disk('nbd://evil/disk')],
    ['a parent in QEMU notation', disk('json:{"driver":"file"}')],
    ['something that is no disk', Buffer.from('some text that is long enough')],
    ['a name longer than the format allows', disk('x'.repeat(2000))],
    ['a header that ends too early', disk('parent').subarray(0, 22)],
  ])('refuses %s', async (_, content) => {
    await using directory = await temporaryDirectory();
    const path = join(directory.path, 'top');
    await writeFile(path, content);
    await expect(backingChain(path)).rejects.toMatchObject({ code: 'DISK_INVALID' });
  });
});

function disk(parent: string): Buffer {
  const header = Buffer.alloc(104);
  header.writeUInt32BE(0x51_46_49_fb, 0);
  header.writeUInt32BE(3, 4);
  header.writeBigUInt64BE(parent === '' ? 0n : 104n, 8);
  header.writeUInt32BE(parent.length, 16);
  return Buffer.concat([header, Buffer.from(parent)]);
}
