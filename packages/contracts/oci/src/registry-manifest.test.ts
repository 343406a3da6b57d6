import fc from 'fast-check';
import { VicError } from '@vic/errors';
import { describe, expect, it } from 'vitest';
import {
  MEDIA_TYPES,
  contentDigestOf,
  digestOfBytes,
  isContentDigest,
  isRepositoryName,
  isTagName,
  parseContentDigest,
  parseRegistryManifest,
} from './index.ts';

const config = { mediaType: 'application/x', digest: digestOfBytes('{}'), size: 2 };
const parse = (document: unknown, contentType = '') =>
  parseRegistryManifest(Buffer.from(JSON.stringify(document)), contentType);

describe('parseRegistryManifest()', () => {
  it('reads artifacts of any type, with either kind of digest', () => {
    const layer = { mediaType: 'text/plain', digest: contentDigestOf('sha512', 'x'), size: 1, annotations: { a: 'b' } };
    const subject = { ...config, mediaType: MEDIA_TYPES.ociManifest };
    const manifest = parse({ schemaVersion: 2, config, layers: [layer], subject, annotations: { c: 'd' }, other: [1] });
    expect(manifest).toMatchObject({
      mediaType: MEDIA_TYPES.ociManifest,
      kind: 'image',
      artifactType: 'application/x',
      annotations: { c: 'd' },
      subject: { digest: config.digest },
      layers: [{ digest: layer.digest, sizeBytes: 1, annotations: { a: 'b' }, external: false }],
    });
  });

  it('reads indexes, and tells layers that are elsewhere', () => {
    const platform = { os: 'linux', architecture: 'arm64' };
    const entry = { ...config, mediaType: MEDIA_TYPES.ociManifest, platform, artifactType: 'a/b' };
    const index = parse({ schemaVersion: 2, manifests: [entry] }, 'application/json');
    expect(index).toMatchObject({
      kind: 'index',
      mediaType: MEDIA_TYPES.ociIndex,
      artifactType: '',
      config: undefined,
    });
    expect(index.manifests).toMatchObject([{ platform, artifactType: 'a/b' }]);
    const foreign = { ...config, mediaType: MEDIA_TYPES.dockerForeignLayer };
    expect(parse({ schemaVersion: 2, config, layers: [foreign] }).layers[0]?.external).toBe(true);
  });

  it.each<[unknown, string?]>([
    [{ schemaVersion: 1 }],
    [{ schemaVersion: 3, config, layers: [] }],
    [{ schemaVersion: 2, layers: [] }],
    [{ schemaVersion: 2, config, manifests: [] }],
    [{ schemaVersion: 2, config: { ...config, size: -1 } }],
    [{ schemaVersion: 2, config: { ...config, digest: 'md5:abc' } }],
    [{ schemaVersion: 2, config: { ...config, mediaType: 'not a type' } }],
    [{ schemaVersion: 2, config, layers: [], mediaType: 'application/vnd.acme+json' }],
    [{ schemaVersion: 2, config, layers: [], mediaType: MEDIA_TYPES.ociManifest }, MEDIA_TYPES.dockerManifest],
    [{ schemaVersion: 2, config, layers: [], annotations: { a: 1 } }],
    ['text'],
    [null],
  ])('refuses %j', (document, contentType = '') => {
    expect(() => parse(document, contentType)).toThrow(VicError);
  });

  it('refuses what is not UTF-8', () => {
    expect(() => parseRegistryManifest(Buffer.from([0x7b, 0xff, 0x7d]), '')).toThrow('UTF-8');
  });

  it('never fails otherwise than with a VicError', () => {
    fc.assert(
      fc.property(fc.json(), fc.string(), (text, contentType) => {
        expect(failureOf(() => parseRegistryManifest(Buffer.from(text), contentType))).toSatisfy(
          (error) => error === undefined || error instanceof VicError,
        );
      }),
      { numRuns: 300 },
    );
  });
});

function failureOf(body: () => unknown): unknown {
  try {
    body();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe('names and digests', () => {
  it('isRepositoryName() follows the grammar of the specification', () => {
    for (const name of ['a', 'a/b', 'a-b/c.d__e/f_g', 'a--b']) expect(isRepositoryName(name), name).toBe(true);
    for (const name of ['', 'A', 'a//b', '/a', 'a/', 'a_', 'a..b', 'a___b', 'a b', 'a'.repeat(256)]) {
      expect(isRepositoryName(name), name).toBe(false);
    }
  });

  it('isTagName() follows the grammar of the specification', () => {
    for (const tag of ['v1', '_', 'A.b-c', 'a'.repeat(128)]) expect(isTagName(tag), tag).toBe(true);
    for (const tag of ['', '.a', '-a', 'a:b', 'a/b', 'a'.repeat(129), 'a\n']) expect(isTagName(tag), tag).toBe(false);
  });

  it('isContentDigest() knows both algorithms, in lower case', () => {
    expect(isContentDigest(contentDigestOf('sha512', 'x'))).toBe(true);
    expect(isContentDigest(digestOfBytes('x').toUpperCase())).toBe(false);
    expect(() => parseContentDigest('sha512:abc')).toThrow('neither');
    expect(parseContentDigest(digestOfBytes('x'))).toBe(digestOfBytes('x'));
  });
});
