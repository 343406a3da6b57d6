import { chmod, chown, link, lutimes, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '@vic/process';
import { debian } from './debian.ts';
import { type ImageRecipe, addLayer, buildImage, copyLayout } from './oci-layout.ts';

/** Layers that {@link layered} has on top of its Debian base. */
const DEPTH = 40;

/**
 * Forty layers on a Debian base (whose GNU tar can show the tree from inside, attributes included) with everything that makes layering hard: whiteouts, opaque directories, directories that
 * become files and back, hard links, extended attributes, file capabilities, device nodes, a FIFO, owners,
 * set-uid bits, long and non-ASCII names.
 */
export const layered: ImageRecipe = {
  name: 'layered',
  version: 1,
  build: async (layout, scratch) => {
    await copyLayout(await buildImage(debian), layout);
    for (let index = 0; index < DEPTH; index++) {
      const tree = join(scratch, `layer-${index}`);
      await mkdir(join(tree, 'layers'), { recursive: true });
      await writeFile(join(tree, 'layers', String(index)), `layer ${index}\n`);
      await writeFile(join(tree, 'overwritten'), `${index}\n`);
      await SPECIALS[index]?.(tree);
      await addLayer(layout, tree, scratch);
    }
  },
};

const SPECIALS: Readonly<Record<number, (tree: string) => Promise<void>>> = {
  1: async (tree) => {
    await mkdir(join(tree, 'links'));
    await writeFile(join(tree, 'links/one'), 'two names, one file\n');
    await link(join(tree, 'links/one'), join(tree, 'links/two'));
    await symlink('one', join(tree, 'links/symbolic'));
    await symlink('/nowhere', join(tree, 'links/dangling'));
  },
  2: async (tree) => {
    await mkdir(join(tree, 'opaque'));
    for (const name of ['a', 'b', 'c']) await writeFile(join(tree, 'opaque', name), `${name} from below\n`);
    await mkdir(join(tree, 'opaque/deep/deeper'), { recursive: true });
    await writeFile(join(tree, 'opaque/deep/deeper/file'), 'hidden later\n');
  },
  3: async (tree) => {
    await writeFile(join(tree, 'deleted'), 'gone later\n'.repeat(100_000));
    await mkdir(join(tree, 'deleted-directory'));
    await writeFile(join(tree, 'deleted-directory/file'), 'gone with it\n');
  },
  4: async (tree) => {
    await mkdir(join(tree, 'directory-then-file'));
    await writeFile(join(tree, 'directory-then-file/inside'), 'x');
    await writeFile(join(tree, 'file-then-directory'), 'x');
  },
  5: async (tree) => {
    await writeFile(join(tree, '.wh.deleted'), '');
    await writeFile(join(tree, '.wh.deleted-directory'), '');
  },
  6: async (tree) => {
    await mkdir(join(tree, 'opaque'));
    await writeFile(join(tree, 'opaque/.wh..wh..opq'), '');
    await writeFile(join(tree, 'opaque/d'), 'd alone\n');
  },
  7: async (tree) => {
    await writeFile(join(tree, 'directory-then-file'), 'a file now\n');
    await mkdir(join(tree, 'file-then-directory'));
    await writeFile(join(tree, 'file-then-directory/inside'), 'a directory now\n');
  },
  8: async (tree) => {
    await writeFile(join(tree, 'set-uid'), 'x');
    await chown(join(tree, 'set-uid'), 1, 1000);
    await chmod(join(tree, 'set-uid'), 0o4755);
    await mkdir(join(tree, 'sticky'));
    await chown(join(tree, 'sticky'), 1000, 50);
    await chmod(join(tree, 'sticky'), 0o3771);
    await writeFile(join(tree, 'large-ids'), 'x');
    await chown(join(tree, 'large-ids'), 3_000_000, 4_000_000);
  },
  9: async (tree) => {
    await run('mkfifo', [join(tree, 'fifo')]);
    await run('mknod', [join(tree, 'character-device'), 'c', '1', '7']);
    await run('mknod', [join(tree, 'block-device'), 'b', '7', '300']);
  },
  10: async (tree) => {
    await writeFile(join(tree, 'attributes'), 'x');
    await run('setfattr', ['-n', 'user.colour', '-v', 'green', join(tree, 'attributes')]);
    await run('setfattr', ['-n', 'user.empty', join(tree, 'attributes')]);
    await writeFile(join(tree, 'capable'), 'x', { mode: 0o755 });
    const netBindService = '0sAQAAAgAEAAAAAAAAAAAAAAAAAAA=';
    await run('setfattr', ['-n', 'security.capability', '-v', netBindService, join(tree, 'capable')]);
    await mkdir(join(tree, 'attributed-directory'));
    await run('setfattr', ['-n', 'user.kind', '-v', 'directory', join(tree, 'attributed-directory')]);
  },
  11: async (tree) => {
    const long = join(tree, 'names', 'ä'.repeat(60), 'ж'.repeat(60), '長'.repeat(40));
    await mkdir(long, { recursive: true });
    await writeFile(join(long, 'naïve ☃ file'), 'a long way down\n');
    await writeFile(join(tree, 'names', 'with\nnewline and "quotes"'), 'x');
    await writeFile(join(tree, 'names', 'x'.repeat(255)), 'x');
  },
  12: async (tree) => {
    await writeFile(join(tree, 'comes-back'), 'first\n');
  },
  13: async (tree) => {
    await writeFile(join(tree, '.wh.comes-back'), '');
  },
  14: async (tree) => {
    await writeFile(join(tree, 'comes-back'), 'second\n');
  },
  15: async (tree) => {
    await mkdir(join(tree, 'mode-only'), { mode: 0o700 });
  },
  16: async (tree) => {
    await mkdir(join(tree, 'mode-only'));
    await chmod(join(tree, 'mode-only'), 0o511);
  },
  17: async (tree) => {
    await mkdir(join(tree, 'links'));
    await writeFile(join(tree, 'links/.wh.two'), '');
  },
  18: async (tree) => {
    await mkdir(join(tree, 'times'));
    await symlink('target', join(tree, 'times/link'));
    await lutimes(join(tree, 'times/link'), 1, 1);
  },
};
