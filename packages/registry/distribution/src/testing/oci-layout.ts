import { createHash, randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

/** A descriptor as documents hold it. */
export interface TestDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly platform?: { readonly os: string; readonly architecture: string };
}

const TYPES = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
} as const;

/** Writes an OCI image layout with one index of an image for each architecture, tagged `multi`. */
export async function writeOciLayout(directory: string, architectures: readonly string[]): Promise<void> {
  await mkdir(join(directory, 'blobs', 'sha256'), { recursive: true });
  await writeFile(join(directory, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  const manifests: TestDescriptor[] = [];
  for (const architecture of architectures) {
    manifests.push({ ...(await writeImage(directory, architecture)), platform: { os: 'linux', architecture } });
  }
  const index = await writeJson(directory, TYPES.index, { schemaVersion: 2, mediaType: TYPES.index, manifests });
  const root = { ...index, annotations: { 'org.opencontainers.image.ref.name': 'multi' } };
  await writeFile(join(directory, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [root] }));
}

async function writeImage(directory: string, architecture: string): Promise<TestDescriptor> {
  const tar = emptyTar();
  const layer = await writeBlob(directory, TYPES.layer, gzipSync(tar));
  const config = await writeJson(directory, TYPES.config, {
    os: 'linux',
    architecture,
    created: '2026-01-02T03:04:05Z',
    author: 'Ada',
    config: { Cmd: ['/bin/sh'] },
    rootfs: { type: 'layers', diff_ids: [digestOf(tar)] },
  });
  return writeJson(directory, TYPES.manifest, {
    schemaVersion: 2,
    mediaType: TYPES.manifest,
    config,
    layers: [layer],
  });
}

/** An archive of one file with random content, so that no two images share their layer. */
function emptyTar(): Buffer {
  const header = Buffer.alloc(512);
  header.write('file');
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write('00000001000\0', 124);
  header.write('00000000000\0', 136);
  header.write('        0', 148);
  header.write('ustar\0', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, randomBytes(512), Buffer.alloc(1024)]);
}

async function writeJson(directory: string, mediaType: string, document: object): Promise<TestDescriptor> {
  return writeBlob(directory, mediaType, Buffer.from(JSON.stringify(document)));
}

async function writeBlob(directory: string, mediaType: string, content: Uint8Array): Promise<TestDescriptor> {
  const digest = digestOf(content);
  await writeFile(join(directory, 'blobs', 'sha256', digest.slice('sha256:'.length)), content);
  return { mediaType, digest, size: content.length };
}

function digestOf(content: Uint8Array): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
