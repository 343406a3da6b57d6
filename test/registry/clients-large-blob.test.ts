import { expect, it } from 'vitest';
import { ClientSite } from './clients-site.ts';

const MIB = 1024 * 1024;
const SIZE_BYTES = 4096 * MIB;
const CHUNK_BYTES = 512 * MIB;
/** Of 4 GiB of zeros: `head -c 4G /dev/zero | sha256sum`. */
const DIGEST = 'sha256:8479e43911dc45e89f934fe48d01297e16f51d17aa561d4d1c216b1ae0fcddca';
/** Two passes of SHA-256 and TLS over 4 GiB, on a small machine that does other things, too. */
const PATIENCE_MS = 30 * 60_000;

it(
  'a blob of 4 GiB goes in by chunks, out of order refused, and comes back by ranges',
  async () => {
    await using site = await ClientSite.open();
    await site.project('large');
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const begun = await site.send({ method: 'POST', url: '/v2/large/disk/blobs/uploads/' });
    expect(begun.status).toBe(202);
    let url = begun.headers['location'] ?? '';
    for (let from = 0; from < SIZE_BYTES; from += CHUNK_BYTES) {
      const headers = {
        'content-type': 'application/octet-stream',
        'content-range': `${from}-${from + CHUNK_BYTES - 1}`,
        'content-length': String(CHUNK_BYTES),
      };
      const sent = await site.send({ method: 'PATCH', url, headers, body: zeros(CHUNK_BYTES), signal });
      expect(sent).toMatchObject({ status: 202, headers: { range: `0-${from + CHUNK_BYTES - 1}` } });
      url = sent.headers['location'] ?? '';
    }
    const again = { 'content-type': 'application/octet-stream', 'content-range': '0-9' };
    expect(await site.send({ method: 'PATCH', url, headers: again, body: Buffer.alloc(10) })).toMatchObject({
      status: 416,
      headers: { range: `0-${SIZE_BYTES - 1}` },
    });
    const done = new URL(url, `https://${site.host}`);
    done.searchParams.set('digest', DIGEST);
    expect(await site.send({ method: 'PUT', url: done.href, headersTimeoutMs: PATIENCE_MS, signal })).toMatchObject({
      status: 201,
      headers: { 'docker-content-digest': DIGEST },
    });
    const blob = `/v2/large/disk/blobs/${DIGEST}`;
    const end = await site.send({ url: blob, headers: { range: `bytes=${SIZE_BYTES - MIB}-` } });
    expect(end).toMatchObject({
      status: 206,
      headers: { 'content-range': `bytes ${SIZE_BYTES - MIB}-${SIZE_BYTES - 1}/${SIZE_BYTES}` },
    });
    expect(end.bytes.equals(Buffer.alloc(MIB))).toBe(true);
    const beyond = await site.send({ url: blob, headers: { range: `bytes=${SIZE_BYTES}-` } });
    expect(beyond.status).toBe(416);
  },
  PATIENCE_MS,
);

async function* zeros(sizeBytes: number): AsyncGenerator<Uint8Array, void, undefined> {
  const piece = Buffer.alloc(MIB);
  for (let sent = 0; sent < sizeBytes; sent += piece.length) yield piece;
}
