import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '@vic/process';

/** The kernel command line of container VMs, so that both boot the same way. */
const COMMAND_LINE =
  'console=ttyS0 quiet panic=-1 reboot=t mitigations=off tsc=reliable no_timer_check cryptomgr.notests random.trust_cpu=on';

/** A program that says hello on the console and waits. */
const HELLO = `#include <unistd.h>
int main(void) { write(1, "HELLO\\n", 6); for (;;) pause(); }
`;

/** Makes an initramfs whose only content is a static program that prints HELLO; gives its path. */
export async function makeHelloInitramfs(directory: string): Promise<string> {
  const tree = join(directory, 'hello');
  await mkdir(join(tree, 'dev'), { recursive: true });
  await writeFile(join(directory, 'hello.c'), HELLO);
  await run('cc', ['-static', '-O1', '-o', join(tree, 'init'), join(directory, 'hello.c')]);
  await run('mknod', [join(tree, 'dev/console'), 'c', '5', '1']);
  const initramfs = join(directory, 'hello.img');
  await run('cpio', ['--create', '--format=newc', '--quiet', '-F', initramfs], {
    cwd: tree,
    input: 'dev\ndev/console\ninit\n',
  });
  return initramfs;
}

/** Milliseconds from starting QEMU to HELLO on the console, with the kernel and shape of container VMs. */
export async function timeBareBoot(kernel: string, initramfs: string, memoryMiB: number): Promise<number> {
  const startedAt = performance.now();
  const qemu = spawn(
    'qemu-system-x86_64',
    [
      '-M',
      'pc',
      '-accel',
      'tcg,tb-size=64',
      '-cpu',
      'max,-erms',
      '-m',
      String(memoryMiB),
      '-nodefaults',
      '-no-user-config',
      '-display',
      'none',
      '-serial',
      'stdio',
      '-no-reboot',
      '-kernel',
      kernel,
      '-initrd',
      initramfs,
      '-append',
      COMMAND_LINE,
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const exited = once(qemu, 'exit');
  let shown = '';
  for await (const chunk of qemu.stdout) {
    shown += String(chunk);
    if (shown.includes('HELLO')) break;
  }
  const elapsedMs = performance.now() - startedAt;
  qemu.kill('SIGKILL');
  await exited;
  if (!shown.includes('HELLO')) throw new Error(`the bare machine did not say HELLO: ${shown.slice(-500)}`);
  return elapsedMs;
}
