import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '@vic/process';
import { BUILD_TIMEOUT_MS, type ImageRecipe, buildImage, configure, copyLayout } from './oci-layout.ts';

/** A minimal Debian bookworm without documentation: the base of the service images. */
export const debian: ImageRecipe = {
  name: 'debian',
  version: 1,
  build: async (layout, scratch) => {
    const archive = join(scratch, 'debian.tar');
    const excluded = ['man', 'locale', 'doc', 'info'].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`);
    await run('mmdebstrap', ['--variant=minbase', ...excluded, 'bookworm', archive], { timeoutMs: BUILD_TIMEOUT_MS });
    await run('umoci', ['new', '--image', `${layout}:latest`]);
    await run('umoci', ['raw', 'add-layer', '--image', `${layout}:latest`, archive], { timeoutMs: BUILD_TIMEOUT_MS });
    await configure(layout, { cmd: 'bash', env: 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' });
  },
};

/** Redis on the Debian base, listening on every address, as a user of its own. */
export const redis: ImageRecipe = {
  name: 'redis',
  version: 1,
  build: async (layout, scratch) => {
    await installOnDebian(layout, scratch, ['redis-server']);
    await configure(layout, {
      cmd: ['redis-server', '--protected-mode', 'no', '--save', '', '--dir', '/tmp'],
      exposedports: '6379/tcp',
      user: 'redis',
    });
  },
};

/** nginx on the Debian base, in the foreground, logging to its standard streams. */
export const nginx: ImageRecipe = {
  name: 'nginx',
  version: 1,
  build: async (layout, scratch) => {
    await installOnDebian(layout, scratch, ['nginx-light']);
    await configure(layout, {
      cmd: ['nginx', '-g', 'daemon off; error_log /dev/stderr;'],
      exposedports: '80/tcp',
      stopsignal: 'SIGQUIT',
    });
  },
};

async function installOnDebian(layout: string, scratch: string, packages: readonly string[]): Promise<void> {
  await copyLayout(await buildImage(debian), layout);
  const bundle = join(scratch, 'bundle');
  const rootfs = join(bundle, 'rootfs');
  await run('umoci', ['unpack', '--image', `${layout}:latest`, bundle], { timeoutMs: BUILD_TIMEOUT_MS });
  // Maintainer scripts must not start services while the image is made.
  const policy = join(rootfs, 'usr/sbin/policy-rc.d');
  await writeFile(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  await run('cp', ['/etc/resolv.conf', join(rootfs, 'etc/resolv.conf')]);
  const environment = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C' };
  const apt = async (...args: string[]): Promise<unknown> =>
    run('chroot', [rootfs, 'apt-get', ...args], { timeoutMs: BUILD_TIMEOUT_MS, env: environment });
  await apt('update');
  await apt('install', '--yes', '--no-install-recommends', ...packages);
  await apt('clean');
  await rm(join(rootfs, 'var/lib/apt/lists'), { recursive: true });
  await mkdir(join(rootfs, 'var/lib/apt/lists'));
  await rm(policy);
  await run('umoci', ['repack', '--image', `${layout}:latest`, bundle], { timeoutMs: BUILD_TIMEOUT_MS });
}
