import fc from 'fast-check';
import { isVicError } from '@vic/errors';
import { expect, test } from 'vitest';
import {
  chainIds,
  digestOfBytes,
  MEDIA_TYPES,
  parseImageConfig,
  parseIndex,
  parseManifest,
  parsePlatform,
  selectPlatform,
} from './index.ts';

const A = digestOfBytes('a');
const B = digestOfBytes('b');
const descriptor = (mediaType: string, digest = A): object => ({ mediaType, digest, size: 3 });
const manifest = (change: object = {}): string =>
  JSON.stringify({
    schemaVersion: 2,
    mediaType: MEDIA_TYPES.ociManifest,
    config: descriptor(MEDIA_TYPES.ociConfig),
    layers: [descriptor(MEDIA_TYPES.ociLayerGzip, B)],
    ...change,
  });

test('parseManifest() reads both families and takes the served type where none is declared', () => {
  expect(parseManifest(manifest()).layers).toEqual([
    { mediaType: MEDIA_TYPES.ociLayerGzip, digest: B, sizeBytes: 3, annotations: {} },
  ]);
  const docker = {
    mediaType: undefined,
    config: descriptor(MEDIA_TYPES.dockerConfig),
    layers: [descriptor(MEDIA_TYPES.dockerLayer)],
  };
  expect(parseManifest(manifest(docker), `${MEDIA_TYPES.dockerManifest}; charset=utf-8`).mediaType).toBe(
    MEDIA_TYPES.dockerManifest,
  );
});

test.each([
  ['{', 'not JSON'],
  ['[]', 'not an object'],
  [manifest({ schemaVersion: 1 }), 'schema 1 are not supported'],
  [manifest({ schemaVersion: undefined }), 'schemaVersion'],
  [manifest({ manifests: [] }), 'both an image and an index'],
  [manifest({ config: descriptor('application/vnd.cncf.helm.config.v1+json') }), 'unsupported media type'],
  [manifest({ layers: [descriptor('text/plain')] }), 'unsupported media type text/plain'],
  [manifest({ layers: [{ ...descriptor(MEDIA_TYPES.ociLayer), size: -1 }] }), 'no valid size'],
  [manifest({ layers: [{ ...descriptor(MEDIA_TYPES.ociLayer), digest: 'sha256:../../x' }] }), 'not a sha256 digest'],
  [manifest({ layers: Array.from({ length: 128 }, () => descriptor(MEDIA_TYPES.ociLayer)) }), 'more than 127'],
  [' '.repeat(5_000_000), 'larger than'],
])('a manifest that is not one is refused (%#)', (text, reason) => {
  expect(() => parseManifest(text)).toThrow(reason);
});

test('a manifest served as something else is refused', () => {
  expect(() => parseManifest(manifest(), MEDIA_TYPES.dockerManifest)).toThrow('was served as');
});

test('selectPlatform() prefers the plain variant and never takes an attestation', () => {
  const entry = (digest: string, platform: object, annotations = {}): object => ({
    ...descriptor(MEDIA_TYPES.ociManifest, digest as typeof A),
    platform,
    annotations,
  });
  const text = JSON.stringify({
    schemaVersion: 2,
    manifests: [
      entry(
        digestOfBytes('1'),
        { os: 'linux', architecture: 'amd64' },
        { 'vnd.docker.reference.type': 'attestation-manifest' },
      ),
      entry(digestOfBytes('2'), { os: 'linux', architecture: 'amd64', variant: 'v3' }),
      entry(digestOfBytes('3'), { os: 'linux', architecture: 'amd64' }),
      entry(digestOfBytes('4'), { os: 'linux', architecture: 'arm64', variant: 'v8' }),
    ],
  });
  const index = parseIndex(text, MEDIA_TYPES.ociIndex);
  expect(selectPlatform(index, parsePlatform('linux/x86_64'))?.digest).toBe(digestOfBytes('3'));
  expect(selectPlatform(index, parsePlatform('linux/arm64/v8'))?.digest).toBe(digestOfBytes('4'));
  expect(selectPlatform(index, parsePlatform('windows/amd64'))).toBeUndefined();
  expect(() => parsePlatform('linux')).toThrow('not a platform');
});

test('parseImageConfig() keeps what containers need', () => {
  const config = parseImageConfig(
    JSON.stringify({
      os: 'linux',
      architecture: 'amd64',
      rootfs: { type: 'layers', diff_ids: [A] },
      history: [{ created_by: 'x' }, { empty_layer: true }],
      config: {
        Env: ['A=b'],
        Entrypoint: null,
        Cmd: [],
        Volumes: { '/data': {} },
        ExposedPorts: { '80/tcp': {} },
        StopTimeout: 3,
        Healthcheck: { Test: ['NONE'] },
      },
    }),
  );
  expect(config.diffIds).toEqual([A]);
  expect(config.history.map(({ emptyLayer }) => emptyLayer)).toEqual([false, true]);
  expect(config.defaults).toMatchObject({
    environment: ['A=b'],
    entrypoint: undefined,
    command: [],
    volumes: ['/data'],
    exposedPorts: ['80/tcp'],
    stopTimeoutSeconds: 3,
  });
  expect(config.defaults.healthcheck?.test).toEqual(['NONE']);
});

test('chain ids are those of the specification', () => {
  expect(chainIds([A, B])).toEqual([A, digestOfBytes(`${A} ${B}`)]);
  expect(chainIds([])).toEqual([]);
});

test('arbitrary JSON is parsed or refused by name', () => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom(parseManifest, parseIndex, parseImageConfig), (text, parse) => {
      try {
        parse(text);
      } catch (error) {
        if (!isVicError(error)) throw error;
      }
    }),
  );
});
