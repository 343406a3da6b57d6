import { cp, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '@vic/process';
import { type ImageRecipe, addLayer, configure } from './oci-layout.ts';

/** Debian's busybox-static with a link per applet: one layer, about one megabyte. */
export const busybox: ImageRecipe = {
  name: 'busybox',
  version: 1,
  build: async (layout, scratch) => {
    const tree = join(scratch, 'tree');
    await writeBusyboxTree(tree);
    await run('umoci', ['new', '--image', `${layout}:latest`]);
    await addLayer(layout, tree, scratch);
    await configure(layout, { cmd: 'sh', env: 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' });
  },
};

/** Writes busybox, its applets and the few files a shell expects into a new directory. */
async function writeBusyboxTree(tree: string): Promise<void> {
  for (const directory of ['bin', 'dev', 'etc', 'home', 'proc', 'root', 'sys', 'tmp', 'usr/bin', 'usr/sbin', 'var']) {
    await mkdir(join(tree, directory), { recursive: true });
  }
  await run('chmod', ['1777', join(tree, 'tmp')]);
  await cp('/bin/busybox', join(tree, 'bin/busybox'));
  const { stdout } = await run('/bin/busybox', ['--list']);
  for (const applet of stdout.trim().split('\n')) {
    if (applet !== 'busybox') await symlink('busybox', join(tree, 'bin', applet));
  }
  await writeFile(
    join(tree, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\nuser:x:1000:1000:user:/home:/bin/sh\n',
  );
  await writeFile(join(tree, 'etc/group'), 'root:x:0:\ndaemon:x:1:\nuser:x:1000:\nstaff:x:50:user\n');
}
